"""The words for a change: what its action is called, why it is made, what differs, what can't be known yet.

Facts come in (`plan/changes.py`, `events.py`), short English goes out; every view, whatever its format, says things
with the words of this page. How a value reads stands in `values.py`, what a plan comes to in `summary.py`. Light on
purpose: a plan with nothing to do prints from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlplan.views.values import duration_text, listed, printable, size_text, value_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.fingerprint import Part
    from mlplan.json_types import Json
    from mlplan.plan.changes import Action, Change, Forecast, Impact, Reason
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
"""Of what only an apply can tell."""


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
        if not new:
            said.append(f"{name} removed")
        elif not old:
            said.append(f"{name} {new} added")
        elif old != new:
            said.append(f"{name} {old} -> {new}")
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
    causes = listed((str(address) for address in change.conditional), last="or")
    return f"only if {causes} {verb}"


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


def down_service(change: Change) -> Drift | None:
    """How a service is down that was deployed; None where it answers, or nobody looked."""
    return next((drift for drift in change.drift if drift.subject == "service" and drift.before == "Healthy"), None)


def forecast_text(forecast: Forecast) -> str:
    """What a run cost the last time: `last time 4 min 10 s, 1.2 GB`."""
    return f"last time {duration_text(forecast.duration_s)}, {size_text(forecast.peak_memory_bytes)}"
