"""The wording of plans and applies: every view, whatever its format, says things with the words of this page.

Facts come in (`plan/changes.py`, `events.py`), short English goes out. Light on purpose: a plan with nothing to do
prints from here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from mlplan.fingerprint import Part
    from mlplan.json_types import Json
    from mlplan.plan.changes import Action, Change, Forecast, Impact, Plan, Reason
    from mlplan.views.plan_context import Attribution
    from mlplan.world import Drift


class ActionWords(NamedTuple):
    """How one action is called."""

    symbol: str  # one cell wide, beside the word, never in place of it
    infinitive: str  # "1 to run"
    past: str  # "1 run", in a summary of what was done
    present: str  # what is going on now: "running"


ACTION_WORDS: Mapping[Action, ActionWords] = {
    "run": ActionWords("▸", "run", "ran", "running"),
    "restore": ActionWords("↺", "restore", "restored", "restoring"),
    "register": ActionWords("◆", "register", "registered", "registering"),
    "create": ActionWords("+", "create", "created", "creating"),
    "update": ActionWords("~", "update", "updated", "updating"),
    "replace": ActionWords("±", "replace", "replaced", "replacing"),
    "delete": ActionWords("-", "delete", "deleted", "deleting"),
    "skip": ActionWords("·", "skip", "skipped", "skipping"),
    "no-op": ActionWords("·", "leave", "left as it is", "leaving"),
}
"""Every action, in the order in which summaries count them."""


def past_text(action: str) -> str:
    """What a change has done: `ran`, `registered`."""
    return next((said.past for name, said in ACTION_WORDS.items() if name == action), action)


def present_text(action: str) -> str:
    """What a change is doing: `running`, `registering`."""
    return next((said.present for name, said in ACTION_WORDS.items() if name == action), action)


IMPACT_WORDS: Mapping[Impact, str] = {
    "destructive": "something is lost",
    "contract": "clients of a service notice",
    "retrain": "training runs",
    "serve-only": "a service restarts, its clients notice nothing",
    "cosmetic": "only what is recorded changes",
    "none": "nothing changes",
}
"""What each impact means, the worst first."""

ATTRIBUTION_WORDS: Mapping[Attribution, str] = {
    "this-change": "from this change",
    "pending": "already pending before it",
    "drift": "mends drift",
}
"""Who caused a change, the proposed one first."""

LATER = "known after apply"

# -- values ----------------------------------------------------------------------------------------------------------


def value_text(value: Json) -> str:
    """A value on one line, as a user would write it: text bare where nothing is ambiguous, else quoted."""
    if value is None:
        return "none"
    if isinstance(value, str):
        bare = bool(value) and value == value.strip() and value.isprintable() and "->" not in value
        return value if bare else json.dumps(value, ensure_ascii=not value.isprintable())
    return json.dumps(value, ensure_ascii=False)


def printable(text: str) -> str:
    """The text with control characters spelt out, so that a file's name can't steer a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shortened(text: str, length: int) -> str:
    """The text, or its two ends around an ellipsis where it has more than `length` characters."""
    if len(text) <= length:
        return text
    tail = length // 3
    return f"{text[: length - tail - 1]}…{text[-tail:]}"


def size_text(size: int) -> str:
    """Bytes in decimal units: `812 B`, `12 kB`, `1.2 GB`."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 999.5 or unit == "TB":
            return f"{amount:.1f} {unit}" if unit != "B" and amount < 9.95 else f"{amount:.0f} {unit}"
        amount /= 1000
    raise AssertionError("unreachable")


def duration_text(seconds: float) -> str:
    """A duration to two units: `0.3 s`, `12 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    for size, unit, below, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {unit} {rest} {small}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def time_text(time: str, now: float | None = None) -> str:
    """A recorded time as `2026-03-01 12:00:01 UTC`; with `now` (seconds since 1970), and how long ago that was."""
    moment = _moment(time)
    if moment is None:
        return printable(time)
    shown = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{shown} ({_ago_text(now - moment.timestamp())})" if now is not None else shown


def age_text(time: str, now: float | None) -> str:
    """How long ago a recorded time was at `now` (seconds since 1970), for a column; without `now`, the time."""
    moment = _moment(time)
    return time_text(time) if moment is None or now is None else _ago_text(now - moment.timestamp())


def _moment(time: str) -> datetime | None:
    from datetime import datetime, timezone

    try:
        return datetime.fromisoformat(time.replace("Z", "+00:00")).astimezone(timezone.utc)
    except ValueError:
        return None


def _ago_text(seconds: float) -> str:
    if seconds < 2:
        return "just now"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"


def forecast_text(forecast: Forecast) -> str:
    """What a run cost the last time."""
    return f"last time {cost_text(forecast)}"


def cost_text(forecast: Forecast) -> str:
    """`4 min 10 s, 1.2 GB`."""
    return f"{duration_text(forecast.duration_s)}, {size_text(forecast.peak_memory_bytes)}"


def counted(count: int, noun: str) -> str:
    """`1 change`, `2 changes`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    every = list(words)
    return " and ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)


# -- reasons ---------------------------------------------------------------------------------------------------------


class ReasonWords(NamedTuple):
    """A reason, said: `subject before -> after verb: detail (note)`, as far as there is each. Views style these."""

    subject: str
    verb: str = ""  # "changed"; empty where values say it
    before: str = ""
    after: str = ""
    detail: str = ""
    note: str = ""
    is_about_a_part: bool = True  # False: `subject` is a sentence of its own

    @property
    def text(self) -> str:
        """The whole reason on one line."""
        values = f"{self.before} -> {self.after}" if self.before else self.after
        detail = f": {self.detail}" if self.detail else ""
        note = f" ({self.note})" if self.note else ""
        return " ".join(piece for piece in (self.subject, values, self.verb) if piece) + detail + note


def reason_words(reason: Reason, change: Change) -> ReasonWords:
    """Why a change is made, in a user's words."""
    subject = printable(reason.subject)
    detail = printable(reason.detail)
    before = "" if reason.before is None else value_text(reason.before)
    after = "" if reason.after is None else value_text(reason.after)
    if reason.cause == "changed":
        members = _changed_members(reason.before, reason.after)
        return ReasonWords(subject, detail=members) if members else _changed(subject, before, after, detail)
    if reason.cause == "added":
        return ReasonWords(subject, "added", after=after, detail=detail)
    if reason.cause == "removed":
        return ReasonWords(subject, f"{before} removed".strip(), detail=detail)
    if reason.cause == "upstream":
        return ReasonWords(subject, note=f"{LATER} of {after}" if after else LATER)
    if reason.cause == "drift":
        return _drifted(subject, detail, before, after)
    return ReasonWords(_plain_cause(reason, change), detail=detail, is_about_a_part=False)


def drift_words(drift: Drift) -> ReasonWords:
    """How the world differs from the state, in a user's words."""
    before, after = ("" if value is None else value_text(value) for value in (drift.before, drift.after))
    return _drifted(printable(drift.subject), printable(drift.problem), before, after)


def _drifted(subject: str, problem: str, before: str, after: str) -> ReasonWords:
    return ReasonWords(subject, problem, note=f"{before} -> {after}" if before and after else "")


def _changed(subject: str, before: str, after: str, detail: str) -> ReasonWords:
    if before and after and before != after:
        return ReasonWords(subject, before=before, after=after, detail=detail)
    return ReasonWords(subject, detail=detail) if detail else ReasonWords(subject, "changed")


def _changed_members(before: Json, after: Json) -> str:
    """`keep 256Mi -> 64Ki, sample removed`: of a field with fields of its own, those that differ; else empty."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return ""
    said = []
    for name in {**before, **after}:
        old, new = (value_text(values[name]) if name in values else "" for values in (before, after))
        if old != new:
            said.append(
                f"{name} {old} -> {new}" if old and new else f"{name} {new} added" if new else f"{name} removed"
            )
    return printable(", ".join(said))


def _plain_cause(reason: Reason, change: Change) -> str:
    """The causes that are a sentence by themselves."""
    subject = printable(reason.subject)
    if reason.cause == "new":
        return "ran before with the same inputs, its outputs are kept" if change.action == "restore" else "new"
    if reason.cause == "unpinned":
        return f"{subject}: not in mlplan.lock yet ({LATER})"
    if reason.cause == "undeclared":
        return "no longer in the manifest"
    if reason.cause == "moved":
        return f"moved from {subject}"
    if reason.cause == "forced":
        return f"asked for by {subject}"
    return f"an apply has begun its {subject}, and not finished it"


def conditional_text(change: Change) -> str:
    """`only if model.mymodel changes`, or nothing for a change that is sure."""
    if not change.conditional:
        return ""
    verb = "changes" if len(change.conditional) == 1 else "change"
    return f"only if {_alternatives(str(a) for a in change.conditional)} {verb}"


def _alternatives(words: Iterable[str]) -> str:
    every = list(words)
    return " or ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)


def pending(change: Change) -> list[tuple[str, str]]:
    """Parts that only an apply can tell and no reason names: (part, what it waits for)."""
    named = {reason.subject for reason in change.reasons}
    own = str(change.address)
    return [
        (printable(name), "" if part.value == own or part.value is None else str(part.value))
        for name, part in change.after.items()
        if part.digest is None and name not in named
    ]


def pending_text(name: str, waits_for: str) -> str:
    """`model bytes (known after apply of run.train)`."""
    return f"{name} ({LATER} of {waits_for})" if waits_for else f"{name} ({LATER})"


class Field(NamedTuple):
    """A part that differs, as it is shown: by its value, or by the start of its digest."""

    name: str
    before: str  # empty: there was none
    after: str  # empty: there is none any more


def fields(change: Change) -> list[Field]:
    """The parts that differ, by name; of what is new all. None where the reasons name each of them already."""
    if not change.after:
        return []
    named = {reason.subject for reason in change.reasons}
    found = []
    told = True
    for name in sorted({*change.after, *change.before}):
        old, new = change.before.get(name), change.after.get(name)
        if old is None or new is None or old.digest != new.digest:
            found.append(Field(printable(name), _part_text(old), _part_text(new)))
            told = told and name in named
    return [] if told else found


def _part_text(part: Part | None) -> str:
    if part is None:
        return ""
    if part.digest is None:
        return f"({LATER})"
    return part.digest[:10] if part.value is None else value_text(part.value)


# -- the whole plan --------------------------------------------------------------------------------------------------


def loud(plan: Plan) -> list[Change]:
    """The changes that do something."""
    return [change for change in plan.changes if not change.is_quiet]


def summary(plan: Plan, base: str = "") -> str:
    """`Plan: 1 to run, 1 to register, 2 unchanged.`, or `No changes. ...`. `base`: what the plan is compared with."""
    if plan.is_empty:
        return no_changes(len(plan.changes), base)
    actions = [change.action for change in plan.changes]
    counts = [
        f"{actions.count(action)} to {words.infinitive}"
        for action, words in ACTION_WORDS.items()
        if action in actions and action not in ("skip", "no-op")
    ]
    unchanged = actions.count("skip") + actions.count("no-op")
    return f"Plan: {', '.join([*counts, *([f'{unchanged} unchanged'] if unchanged else [])])}."


def no_changes(resources: int, base: str = "") -> str:
    """What an empty plan says."""
    if not resources:
        return "No changes. The manifest declares no resources."
    if base:
        return f"No changes. Everything stays as {printable(base)} has it ({counted(resources, 'resource')})."
    return f"No changes. Everything is as the manifest says ({counted(resources, 'resource')})."


def doubts(plan: Plan) -> list[str]:
    """What can't be told of resources that stay as they are; sentences without their end."""
    return [f"{change.address}: {note}" for change in plan.changes if change.is_quiet for note in change.notes]


def glance(plan: Plan) -> list[tuple[str, str]]:
    """What a reviewer wants to know first, as (label, words): what runs, what serves, what goes."""
    changes = loud(plan)
    runs = [change for change in changes if change.action == "run"]
    lines = [("runs", _runs(runs))] if runs else []
    lines += [
        ("serves", _serves(change))
        for change in changes
        if change.address.kind == "deployment" and change.action not in ("delete", "replace")
    ]
    return lines + [
        (f"{ACTION_WORDS[change.action].infinitive}s", f"{change.address}{_losing(change)}")
        for change in sorted(changes, key=lambda change: change.action == "delete")
        if change.action in ("delete", "replace")
    ]


NAMED = 6
"""How many names a sentence lists before it counts the rest."""


def _runs(runs: Sequence[Change]) -> str:
    """The names of what will run, and how long it took the last time where that is known of all."""
    names = [change.address.name for change in runs]
    if len(names) > NAMED:
        names[NAMED - 1 :] = [counted(len(names) - NAMED + 1, "other")]
    known = [change.forecast.duration_s for change in runs if change.forecast]
    if len(known) < len(runs):
        return listed(names)
    return f"{listed(names)}, about {duration_text(sum(known))}{' in all' if len(known) > 1 else ''}"


def _losing(change: Change) -> str:
    return f": {printable(change.loss)}" if change.loss else ""


def _serves(change: Change) -> str:
    name = change.address.name
    uri = (change.yields or {}).get("scoring_uri")
    at = f" at {uri}" if uri else ""
    if not change.before:
        return f"{name} starts{at}"
    down = down_service(change)
    if down:  # whatever else changes, nobody is served until then
        return f"{name}, now {down.problem}, starts again{at}"
    if change.reasons and all(_is_check(reason, change) for reason in change.reasons):
        return f"{name} goes on as it is, once it has passed its changed tests"
    condition = conditional_text(change).replace("only ", " ", 1)
    if change.impact == "cosmetic":
        return f"{name} goes on as it is, only its record changes"
    if change.impact == "contract":
        return f"{name} changes{condition}, its clients notice"
    return f"{name} restarts{condition}, {_changed_answers(change) or 'its clients notice nothing'}"


def down_service(change: Change) -> Drift | None:
    """How a service is down that was deployed; None where it answers, or nobody looked."""
    return next((drift for drift in change.drift if drift.subject == "service" and drift.before == "Healthy"), None)


def _is_check(reason: Reason, change: Change) -> bool:
    part = change.after.get(reason.subject) or change.before.get(reason.subject)
    return part is not None and part.role == "check"


def _changed_answers(change: Change) -> str:
    """`3 of 200 golden answers changed ...`, where this very candidate was asked beside what serves; or empty."""
    reports = [golden.report for golden in change.golden if golden.report and golden.is_compared]
    changed, asked = (sum(int(str(report.get(name) or 0)) for report in reports) for name in ("changed", "asked"))
    return f"{changed} of {counted(asked, 'golden answer')} changed when it was asked" if changed else ""
