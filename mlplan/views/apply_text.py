"""What the live and the plain view of an apply say alike: how a change ended, and the summary at the end."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mlplan.address import Address
from mlplan.diagnostics import Diagnostic
from mlplan.errors import ExitCode
from mlplan.events import ChangeFinished, Outcome
from mlplan.json_types import Json
from mlplan.views import words
from mlplan.views.progress import Progress, by_outcome
from mlplan.views.terminal import Line, line, width_of, wrapped
from mlplan.views.values import duration_text, metrics_text, printable, shortened

OUTCOME_MARKS: Mapping[Outcome, tuple[str, str]] = {
    "done": ("✔", "green"),
    "dropped": ("=", "dim"),
    "failed": ("✘", "bold red"),
    "canceled": ("✘", "yellow"),
    "unknown": ("?", "yellow"),
    "not-started": ("·", "dim"),
}
"""A mark and its style, beside the word and never in place of it."""

LOG_LINES = 20
"""How many of the last lines of a failing log the summary shows."""

LOG_LINE = 600
"""How much of each of them, in columns: a traceback's line fits, an array printed on one line doesn't."""

RESULTS = 20
"""How many results the summary lists before it counts the rest."""

METRICS = 4
"""How many of a run's metrics a result names."""

_ESCAPE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])")


def log_text(text: str) -> str:
    """A line of a log without what steers a terminal; of a line that overwrites itself, its last state."""
    plain = _ESCAPE.sub("", text.rstrip("\r\n")).rpartition("\r")[2]
    return printable(plain.replace("\t", "    "))


OUTCOME_TEXTS: Mapping[Outcome, str] = {
    "dropped": "not needed, what it depends on came out as it was",
    "failed": "failed",
    "canceled": "canceled",
    "unknown": "unknown, the next apply asks",
    "not-started": "not started",
}


def outcome_text(event: ChangeFinished, *, timed: bool = False) -> str:
    """How a change ended, in a few words: `registered digits:3`, `ran in 17 s, accuracy 0.92`, `failed`."""
    elapsed = f" in {duration_text(event.elapsed_s)}" if timed and event.elapsed_s else ""
    if event.outcome != "done":
        return OUTCOME_TEXTS[event.outcome] + (elapsed if event.outcome != "unknown" else "")
    past = words.past_text(event.action)
    result = result_text(event.address, event.outputs)
    if event.address.kind in ("dataset", "model"):
        return f"{past} {result}".rstrip() + elapsed
    return f"{past}{elapsed}, {result}" if result else past + elapsed


def result_text(address: Address, outputs: Mapping[str, Json]) -> str:
    """What a change yielded, as far as a user cares: version, metrics, where it answers."""
    metrics = metrics_text(outputs.get("metrics"), most=METRICS)
    if address.kind == "run":
        return metrics
    if address.kind == "deployment":
        return str(outputs.get("scoring_uri") or "")
    version = outputs.get("version")
    if version is None:
        return ""
    return f"{address.name}:{version}" + (f" ({metrics})" if metrics else "")


def diagnostic_lines(diagnostic: Diagnostic, width: int) -> list[Line]:
    """A diagnostic that was raised while applying; its place is in the world, so no source is shown."""
    style = {"error": "bold red", "warning": "bold yellow"}.get(diagnostic.severity, "bold")
    about = f" ({diagnostic.address})" if diagnostic.address else ""
    rows = [line((f"{diagnostic.severity}[{diagnostic.code}]", style), (f": {diagnostic.summary}{about}", "bold"))]
    for text in (diagnostic.detail, diagnostic.hint):
        for part in text.splitlines():
            row = line("  ", log_text(part))
            rows += [row] if part.startswith("    ") else wrapped(row, width, 2)  # a command to copy stays whole
    return rows


# -- the summary -----------------------------------------------------------------------------------------------------


def summary_lines(progress: Progress, width: int) -> list[Line]:
    """How an apply ended: what it yielded, what failed with the end of its log, what is open, how to go on."""
    groups = by_outcome(progress.finished)
    rows = _results(groups.get("done", []), progress.call.words, width)
    for event in [*groups.get("failed", []), *groups.get("canceled", []), *groups.get("unknown", [])]:
        rows += [*_ended(event, width), ()]
    waiting = groups.get("not-started", [])
    if waiting:
        names = ", ".join(str(event.address) for event in waiting)
        rows += [*wrapped(line("  ", ("· not started: ", "dim"), names), width, 4), ()]
    steps = next_steps(progress)
    if steps:
        rows += [line(("Next:", "bold")), *_steps(steps, width), ()]
    return [*rows, *wrapped(_verdict(progress), width, 2)]


def _steps(steps: Sequence[tuple[str, str]], width: int) -> list[Line]:
    """Commands in a column with what each is for; where that has no room beside them, above each. None is broken."""
    column = max(len(command) for command, _ in steps) + 2
    told = [((command.ljust(column), "cyan"), (f"# {purpose}", "dim")) for command, purpose in steps]
    if all(width_of(line("  ", *step)) <= width for step in told):
        return [line("  ", *step) for step in told]
    return [
        row for command, purpose in told for row in (line("  ", purpose), line("  ", (command[0].rstrip(), "cyan")))
    ]


def _results(done: Sequence[ChangeFinished], call: str, width: int) -> list[Line]:
    told = [(event, result_text(event.address, event.outputs)) for event in done]
    told = [(event, text) for event, text in told if text]
    column = max((len(str(event.address)) for event, _ in told[:RESULTS]), default=0) + 4
    rows = []
    for event, text in told[:RESULTS]:
        rows += wrapped(line("  ", (str(event.address).ljust(column - 2), "bold"), text), width, column)
        rows += _golden(event.outputs, column, width)
    if len(told) > RESULTS:
        rows.append(line((f"  and {len(told) - RESULTS} more ({call} show)", "dim")))
    return [*rows, ()] if rows else []


def _golden(outputs: Mapping[str, Json], indent: int, width: int) -> list[Line]:
    """What golden requests came to, before a switch that was made or stopped."""
    reports = outputs.get("golden")
    if not isinstance(reports, Mapping):
        return []
    from mlplan.views.golden import reports_text

    return [
        row for said in reports_text(reports) for row in wrapped(line(" " * indent, (said, "dim")), width, indent + 2)
    ]


def _ended(event: ChangeFinished, width: int) -> list[Line]:
    """A change that didn't come to its end, with the last lines of its log."""
    mark, style = OUTCOME_MARKS[event.outcome]
    said = outcome_text(event, timed=True)
    rows = wrapped(line("  ", (mark, style), " ", (str(event.address), "bold"), " ", (said, style)), width, 4)
    rows += _golden(event.outputs, 4, width)
    tail = [shortened(log_text(text), LOG_LINE) for text in event.log_tail[-LOG_LINES:]]
    return rows + [row for text in tail for row in wrapped(line(("    │ ", "dim"), text), width, 6)]


def next_steps(progress: Progress) -> list[tuple[str, str]]:
    """Commands that make sense now, each with what it is for."""
    groups = by_outcome(progress.finished)
    call = progress.call.words
    failed = groups.get("failed", [])
    if failed or groups.get("canceled") or groups.get("unknown") or groups.get("not-started"):
        said = [event.address.name for event in failed if event.address.kind == "run" and event.log_tail]
        return [
            *((f"{call} run logs {name}", "the whole log") for name in said[:3]),
            (progress.command, _going_on(progress)),
        ]
    made = [event.address for event in groups.get("done", []) if event.action != "delete"]
    steps = [
        (f"{call} service score {address.name} -d {_at(progress.call.requests.get(address))}", "asks the service")
        for address in made
        if address.kind == "deployment"
    ][:3]
    if not steps and any(address.kind == "model" for address in made):
        steps = [(f"{call} model list", "the versions there are")]
    return [*steps, (f"{call} show", "what is recorded")] if steps else []


def _going_on(progress: Progress) -> str:
    if progress.ended and progress.ended.exit_code == ExitCode.REFUSED:
        return "goes on from here, once the gate lets it"
    return "goes on from here; what is done stays done"


def _at(file: str | None) -> str:
    """A file with a request, for a shell."""
    from shlex import quote

    return quote(f"@{file}") if file else "@FILE"


def _verdict(progress: Progress) -> Line:
    """The last line: how it ended, in what time, and the count."""
    ended = progress.ended
    elapsed = f" in {duration_text(ended.elapsed_s)}" if ended else ""
    word, style = _verdict_word(progress)
    counts = ", ".join(_counts(progress.finished)) or "nothing to do"
    return line((f"{word}{elapsed}", style), f": {counts}.")


def _verdict_word(progress: Progress) -> tuple[str, str]:
    code = progress.ended.exit_code if progress.ended else ExitCode.INTERRUPTED
    outcomes = {event.outcome for event in progress.finished}
    if code == ExitCode.INTERRUPTED or (code != ExitCode.OK and "canceled" in outcomes):
        return "Interrupted", "bold yellow"
    if code == ExitCode.NOT_CONVERGED:
        return "Applied, but a plan is not empty after it", "bold yellow"
    if code == ExitCode.OK:
        return "Applied", "bold green"
    if code == ExitCode.REFUSED:
        return "Refused by a gate", "bold red"
    return ("Applied in part", "bold red") if "done" in outcomes else ("Failed", "bold red")


def _counts(finished: Sequence[ChangeFinished]) -> list[str]:
    """`1 ran, 2 registered, 1 failed`: what is done by action, the rest by outcome."""
    done = [event.action for event in finished if event.outcome == "done"]
    counts = [f"{done.count(name)} {said.past}" for name, said in words.ACTION_WORDS.items() if name in done]
    others = {"dropped": "not needed", "failed": "failed", "canceled": "canceled", "unknown": "unknown"}
    outcomes = [event.outcome for event in finished]
    for outcome, word in {**others, "not-started": "not started"}.items():
        number = sum(1 for seen in outcomes if seen == outcome)
        counts += [f"{number} {word}"] if number else []
    return counts
