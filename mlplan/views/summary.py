"""A plan as a whole, in sentences: the count, what a reviewer wants to know first, what can't be told.

Single changes are worded in `words.py`. Light on purpose: a plan with nothing to do prints from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.views.values import counted, duration_text, listed, printable
from mlplan.views.words import ACTION_WORDS, conditional_text, down_service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplan.plan.changes import Change, Plan, Reason


def loud(plan: Plan) -> list[Change]:
    """The changes that do something."""
    return [change for change in plan.changes if not change.is_quiet]


def summary(plan: Plan, base: str = "") -> str:
    """`Plan: 1 to run, 1 to register, 2 unchanged.`, or `No changes. ...`. `base`: what the plan is compared with."""
    if plan.is_empty:
        return _no_changes(len(plan.changes), base)
    actions = [change.action for change in plan.changes]
    counts = [
        f"{actions.count(action)} to {words.infinitive}"
        for action, words in ACTION_WORDS.items()
        if action in actions and action not in ("skip", "no-op")
    ]
    unchanged = actions.count("skip") + actions.count("no-op")
    return f"Plan: {', '.join([*counts, *([f'{unchanged} unchanged'] if unchanged else [])])}."


def _no_changes(resources: int, base: str) -> str:
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


def _is_check(reason: Reason, change: Change) -> bool:
    part = change.after.get(reason.subject) or change.before.get(reason.subject)
    return part is not None and part.role == "check"


def _changed_answers(change: Change) -> str:
    """`3 of 200 golden answers changed ...`, where this very candidate was asked beside what serves; or empty."""
    reports = [golden.report for golden in change.golden if golden.report and golden.is_compared]
    changed, asked = (sum(int(str(report.get(name) or 0)) for report in reports) for name in ("changed", "asked"))
    return f"{changed} of {counted(asked, 'golden answer')} changed when it was asked" if changed else ""
