"""A plan on a terminal: what a reviewer wants to know first, drift, the changes with their reasons, the count.

A pure function from the plan to text, and light: a plan with nothing to do is printed by it.
The words are in `words.py` and `summary.py`, colours and wrapping in `terminal.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.views import words
from mlplan.views.plan_context import NO_CONTEXT
from mlplan.views.summary import doubts, glance, loud, summary
from mlplan.views.terminal import Line, Piece, line, painted, spread, width_of, wrapped
from mlplan.views.values import printable, shortened, value_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlplan.plan.changes import Action, Change, Plan
    from mlplan.views.plan_context import Attribution, Context

ACTION_STYLES: Mapping[Action, str] = {
    "run": "cyan",
    "restore": "blue",
    "register": "green",
    "create": "green",
    "update": "yellow",
    "replace": "magenta",
    "delete": "red",
    "skip": "dim",
    "no-op": "dim",
}
HANG = 14
"""Where a change's address and reasons begin: two spaces, a symbol, the action's word."""

WIDEST = 100
"""A wider terminal is not filled: what belongs together would stand too far apart."""

SHOWN = 8
"""How many reasons of a change are listed; with `verbose`, all are."""

VALUE_LENGTH = 64
"""How much of a value is shown; with `verbose`, all is."""

GROUPS: Mapping[Attribution, str] = {
    "this-change": "From this change",
    "pending": "Already pending before it",
    "drift": "Mending drift",
}


def render(plan: Plan, *, width: int, colour: bool, verbose: bool = False, context: Context = NO_CONTEXT) -> str:
    """The plan as text, ending in a line feed. No line is wider than `width` columns.

    `verbose` lists the quiet resources, every part of new ones, and every reason and value in full.
    """
    width = min(max(width, 40), WIDEST)
    if plan.is_empty and not verbose:
        said = wrapped(line((summary(plan, context.base), "bold green")), width, 0)
        return painted([*_doubts(plan, width), *said], colour=colour)
    rows: list[Line] = [*_head(plan, width, context), *_drift(plan, width)]
    for heading, changes in _groups(plan, context):
        rows += [line((heading, "bold")), ()] if heading else []
        rows += _spaced([_change(change, width, verbose) for change in changes])
    rows += _quiet(plan, width, verbose)
    rows += _doubts(plan, width)
    if not context.complete:
        rows += [line(("Only the chosen resources were looked at.", "dim")), ()]
    rows += wrapped(line((summary(plan, context.base), "bold")), width, 6)
    return painted(rows, colour=colour)


def _wrap(rows: Iterable[Line], width: int, indent: int) -> list[Line]:
    return [piece for row in rows for piece in wrapped(row, width, indent)]


def _head(plan: Plan, width: int, context: Context) -> list[Line]:
    """Whose plan this is, and what it comes to at a glance."""
    made_on = f"on state {plan.serial}" if plan.serial else "nothing is applied yet"
    against = f"compared with {printable(context.base)}" if context.base else made_on
    rows = [line((plan.project, "bold"), (f", {against}", "dim")), ()]
    said = glance(plan)
    if said:
        column = max(len(label) for label, _ in said) + 4
        before = ""
        for label, text in said:
            style = {"deletes": "red", "replaces": "magenta"}.get(label, "dim")
            shown = "" if label == before else label
            rows += wrapped(line("  ", (shown.ljust(column - 2), style), text), width, column)
            before = label
        rows.append(())
    return rows


def _doubts(plan: Plan, width: int) -> list[Line]:
    """What can't be told of resources that stay as they are."""
    rows = [row for said in doubts(plan) for row in wrapped(line(("Note: ", "dim"), f"{said}."), width, 6)]
    return [*rows, ()] if rows else []


def _drift(plan: Plan, width: int) -> list[Line]:
    """What differs in the world from what was applied, apart from the edits."""
    drifted = [change for change in plan.changes if change.drift]
    if not drifted:
        return []
    rows: list[Line] = [line(("Drift: the world differs from what was applied", "bold yellow")), ()]
    for change in drifted:
        for drift in change.drift:
            said = words.drift_words(drift)
            rows += wrapped(
                line("  ", ("!", "yellow"), f" {change.address}  ", *_said_pieces(said, VALUE_LENGTH)), width, 6
            )
    return [*rows, ()]


def _groups(plan: Plan, context: Context) -> list[tuple[str, Sequence[Change]]]:
    """The loud changes under headings: by who caused them, where that is known."""
    changes = loud(plan)
    if not context.attribution:
        return [("Changes" if any(change.drift for change in plan.changes) else "", changes)]
    groups = [
        (heading, [c for c in changes if context.attribution.get(c.address, "this-change") == cause])
        for cause, heading in GROUPS.items()
    ]
    return [(heading, members) for heading, members in groups if members]


def _spaced(blocks: Sequence[list[Line]]) -> list[Line]:
    """The blocks with an empty line after each that has more than a title, and after the last."""
    rows: list[Line] = []
    for index, block in enumerate(blocks):
        rows += block
        if len(block) > 1 or index == len(blocks) - 1 or len(blocks[index + 1]) > 1:
            rows.append(())
    return rows


def _change(change: Change, width: int, verbose: bool) -> list[Line]:
    """One change: its line, its reasons, what is not known yet, what is lost, what is good to know."""
    limit = 10**9 if verbose else VALUE_LENGTH
    rows: list[Line] = _title(change, width)
    body: list[Line] = []
    if change.loss:
        body.append(line((printable(change.loss), "red")))
    body += _reasons(change, limit, verbose)
    if verbose and not change.before:
        body += _parts(change, limit)
    else:
        body += [line((words.pending_text(*waiting), "dim")) for waiting in words.pending(change)]
    uri = (change.yields or {}).get("scoring_uri")
    if uri and change.address.kind == "deployment" and not change.before:
        body.append(line(("answers at ", "dim"), str(uri)))
    body += [line((printable(note), "dim")) for note in change.notes]
    body += _golden(change, limit)
    return rows + _wrap([(Piece(" " * HANG), *row) for row in body], width, HANG + 2)


def _golden(change: Change, limit: int) -> list[Line]:
    """What a service is asked before the change counts as done, and what that came to if it was asked already."""
    if not change.golden:
        return []
    from mlplan.views.golden import asked_text, asks_text, examples

    rows: list[Line] = []
    for golden in change.golden:
        rows.append(line((asks_text(golden, change), "dim")))
        asked = asked_text(golden, change)
        if asked:
            beyond = bool(golden.missed or (golden.report or {}).get("wrong"))
            rows.append(line((asked, "yellow" if beyond else "dim")))
        rows += [
            line(
                f"  {name}: ",
                (shortened(before, limit), "dim"),
                (" -> ", "dim"),
                (shortened(after, limit), "bold"),
            )
            for name, before, after in examples(golden.report)
        ]
    return rows


def _title(change: Change, width: int) -> list[Line]:
    """The line with the action and the address; the condition or the forecast stands at its end, or below it."""
    said = words.ACTION_WORDS[change.action]
    style = ACTION_STYLES[change.action]
    left = line(
        "  ", (said.symbol, style), " ", (said.infinitive.ljust(HANG - 4), style), (str(change.address), "bold")
    )
    asides = [
        "new" if change.action != "restore" and any(reason.cause == "new" for reason in change.reasons) else "",
        words.conditional_text(change),
        words.forecast_text(change.forecast) if change.forecast else "",
    ]
    right = line((", ".join(aside for aside in asides if aside), "dim"))
    if width_of(left) + 2 + width_of(right) <= width:
        return [spread(left, right, width) if right else left]
    return [*wrapped(left, width, HANG), *wrapped((Piece(" " * HANG), *right), width, HANG + 2)]


def _reasons(change: Change, limit: int, verbose: bool) -> list[Line]:
    told = [reason for reason in change.reasons if reason.cause != "new" or change.action == "restore"]
    reasons = told if verbose or len(told) <= SHOWN + 1 else told[:SHOWN]
    rows = [line(*_said_pieces(words.reason_words(reason, change), limit)) for reason in reasons]
    left_out = len(told) - len(reasons)
    return [*rows, line((f"and {left_out} more reasons (--verbose lists them)", "dim"))] if left_out else rows


def _said_pieces(said: words.ReasonWords, limit: int) -> list[tuple[str, str]]:
    """The pieces of a reason, values shortened and styled."""
    before, after = shortened(said.before, limit), shortened(said.after, limit)
    values = [(before, "dim"), (" -> ", "dim"), (after, "bold")] if before else [(after, "bold")] if after else []
    pieces = [(said.subject, "")]
    pieces += [(" ", ""), *values] if values else []
    pieces += [(f" {said.verb}", "")] if said.verb else []
    pieces += [(f": {said.detail}", "")] if said.detail else []
    pieces += [(f" ({said.note})", "dim")] if said.note else []
    return pieces


def _parts(change: Change, limit: int) -> list[Line]:
    """Every part of what is new, with its value."""
    rows = []
    for name in sorted(change.after):
        part = change.after[name]
        if part.digest is None:
            value = words.LATER
        else:
            value = shortened(value_text(part.value), limit) if part.value is not None else "by content"
        rows.append(line(f"{printable(name)} ", (value, "bold" if part.value is not None else "dim")))
    return rows


def _quiet(plan: Plan, width: int, verbose: bool) -> list[Line]:
    """The resources that stay as they are: named where they fit, counted where not, each on a line if `verbose`."""
    quiet = [change for change in plan.changes if change.is_quiet]
    if verbose:
        rows = [row for change in quiet for row in _title(change, width)]
        return [*rows, ()] if rows else []
    names = ", ".join(str(change.address) for change in quiet)
    if not names or len(names) > 2 * width:
        return []
    return [*wrapped(line(("Unchanged: ", "dim"), (names, "dim")), width, 11), ()]
