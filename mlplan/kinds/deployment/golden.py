"""Golden requests: a candidate's answers beside those of the service that is live, and the limits between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.codes import apply as codes
from mlplan.codes import meaning as meaning_codes
from mlplan.errors import Refusal
from mlplan.events import DiagnosticRaised
from mlplan.kinds.deployment.verify import TOLERANCE, under_root, wrong_answer
from mlplan.manifest.quantities import seconds
from mlplan.manifest.requests import read_golden
from mlplan.serving import golden

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlplan.diagnostics import Diagnostic
    from mlplan.json_types import Json
    from mlplan.kinds.protocol import Effects
    from mlplan.manifest.resolved import Resource
    from mlplan.targets.protocols import Endpoint

_SHOWN = 5


class Compared(NamedTuple):
    """What asking a file of golden requests came to."""

    report: dict[str, Json]  # as it is recorded with the deployment
    wrong: Sequence[Diagnostic]  # answers that aren't the expected ones, a few of them
    passed: Sequence[Diagnostic]  # limits that are passed


def ask_golden(resource: Resource, test: Mapping[str, Any], endpoint: Endpoint, effects: Effects) -> Compared:
    """Asks both services, tells the comparison, and holds it against the limits. Raises: Refusal for the file."""
    file = test["requests"]
    goldens = _read(file, test, effects)
    candidate, live = _ask_both(endpoint, _live_url(resource, effects), goldens)
    report = golden.compare(goldens, candidate, live)
    lines = "\n".join(golden.shown(report))
    told = codes.MLP7036.diagnostic(f"{resource.address}, {file}: {lines}", address=resource.address)
    effects.emit(DiagnosticRaised(told))
    wrong = [wrong_answer(resource, f"{item.name} of {file}", _problem(item)) for item in report.wrong[:_SHOWN]]
    passed = [
        codes.MLP7035.diagnostic(
            f"{resource.address}, {file}: {reason}.",
            hint="It takes no traffic; what served before still does. Mend the model, or change the limit in the "
            "manifest, then\n    mlplan apply",
            address=resource.address,
        )
        for reason in over(report, test["limits"] or {})
    ]
    return Compared(_recorded(report), wrong, passed)


def over(report: golden.Report, limits: Mapping[str, Any]) -> Iterator[str]:
    """Each limit that a comparison passes, in a few words."""
    changed, slower, p99 = (limits.get(name) for name in ("changed", "slower", "p99"))
    if changed is not None and len(report.changed) > changed:
        yield f"{len(report.changed)} answers are not the live service's, {changed} may be"
    if slower is not None and report.live_p50_ms and report.p50_ms > slower * report.live_p50_ms:
        factor = report.p50_ms / report.live_p50_ms
        yield f"its median answer takes {factor:.2f} times as long as the live service's, {slower:g} is the limit"
    if p99 is not None and report.p99_ms > 1000 * seconds(p99):
        yield f"one answer in a hundred takes {report.p99_ms:.1f} ms or longer, {p99} is the limit"


def _read(file: str, test: Mapping[str, Any], effects: Effects) -> list[golden.Golden]:
    """The requests as they are now: `validate` has seen the file, but that may be a while ago."""
    try:
        with open(under_root(file, effects), "rb") as stream:
            read = read_golden(stream.read(), file)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise Refusal([meaning_codes.MLP3411.diagnostic(f"`{file}` can't be read: {why}.")]) from error
    if read.problems:
        raise Refusal(read.problems, sources=[read.source])
    return golden.goldens_of(read.items, TOLERANCE if test["tolerance"] is None else test["tolerance"])


def _live_url(resource: Resource, effects: Effects) -> str:
    """Where the service that is live is asked; "" where none was deployed."""
    recorded = effects.state().resources.get(resource.address)
    return str(recorded.outputs.get("scoring_uri", "")).removesuffix("/score") if recorded is not None else ""


def _ask_both(
    endpoint: Endpoint, live: str, goldens: Sequence[golden.Golden]
) -> tuple[list[golden.Given], list[golden.Given] | None]:
    """The candidate's answers and the live service's; None where that gives none.

    Raises: Refusal where the candidate doesn't answer.
    """
    try:
        if live:
            try:
                both = golden.ask_all([endpoint.url, live], endpoint.key, goldens)
            except OSError:  # the live one may be down: that is no reason to keep its successor from the port
                pass
            else:
                return both[0], both[1] if any(given.status == 200 for given in both[1]) else None
        return golden.ask_all([endpoint.url], endpoint.key, goldens)[0], None
    except OSError as error:
        raise Refusal([codes.MLP7034.diagnostic(f"{endpoint.url} doesn't answer: {error}.")]) from error


def _problem(item: golden.Changed) -> str:
    if item.candidate.status != 200:
        return f"answered {item.candidate.status}: {golden.short(item.candidate.value)}"
    return f"answered {golden.short(item.candidate.value)}, expected is {golden.short(item.other)}"


def _recorded(report: golden.Report) -> dict[str, Json]:
    times = {name: getattr(report, name) for name in ("p50_ms", "p99_ms", "live_p50_ms", "live_p99_ms")}
    rounded: dict[str, Json] = {name: round(value, 3) for name, value in times.items() if value is not None}
    return {"asked": report.asked, "changed": len(report.changed), **rounded}
