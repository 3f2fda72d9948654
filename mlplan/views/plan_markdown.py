"""A plan as Markdown, for a comment on a pull request: the summary first, then the changes by impact.

Never longer than a comment may be: where it would be, fields go first, then reasons, then changes; what is left out
is counted, and where all of it can be read is said. What a user or a branch wrote (names, values) is escaped:
it is text and nothing else, no markup and no mention of anybody.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Literal

from mlplan.views import words
from mlplan.views.golden import asked_text, asks_text, examples
from mlplan.views.plan_context import NO_CONTEXT
from mlplan.views.summary import doubts, glance, loud, summary
from mlplan.views.values import counted, printable, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.plan.changes import Change, Golden, Plan
    from mlplan.views.plan_context import Context

LIMIT = 65_536
"""How many characters a comment may have."""

VALUE_LENGTH = 80
"""How much of a value is shown."""

Detail = Literal["fields", "reasons", "lines"]
"""How much is told of each change, the most first."""

_LEFT_OUT: Mapping[Detail, str] = {
    "fields": "",
    "reasons": "The fields are left out: a comment can't hold them.",
    "lines": "The reasons are left out: a comment can't hold them.",
}
_MARKUP = str.maketrans(
    {char: f"&#{ord(char)};" for char in "\\`*_[]|~"}
    # Mentions and references are looked for after entities are read: a space of no width keeps them apart.
    | {char: f"{char}&#8203;" for char in "@#"}
)


def render(plan: Plan, *, context: Context = NO_CONTEXT, limit: int = LIMIT) -> str:
    """The plan, at most `limit` characters (of 2,000 at least)."""
    text = ""
    for detail in ("fields", "reasons", "lines"):
        text = _page(plan, context, detail)
        if len(text) <= limit:
            return text
    return _cut(plan, context, limit)


def _page(plan: Plan, context: Context, detail: Detail) -> str:
    pieces = [_head(plan, context), *_changes(plan, context, detail), _quiet(plan)]
    if _LEFT_OUT[detail]:
        pieces.append(_notice(_LEFT_OUT[detail], context))
    return "\n".join(piece for piece in pieces if piece)


def _cut(plan: Plan, context: Context, limit: int) -> str:
    """As many lines as fit, and how many changes are left out."""
    room = limit - 300 - len(context.full_text)
    total = len(loud(plan))
    head = _head(plan, context)
    kept, shown = [head if len(head) <= room else f"**{_text(summary(plan, context.base))}**\n"], 0
    used = len(kept[0])
    for piece in _changes(plan, context, "lines"):
        if used + len(piece) + 1 > room:
            break
        kept.append(piece)
        used += len(piece) + 1
        shown += 0 if piece.startswith("###") else 1
    left_out = f"{counted(total - shown, 'more change')}, and all reasons, are left out: a comment can't hold them."
    return "\n".join([*kept, _notice(left_out, context)])


def _notice(text: str, context: Context) -> str:
    where = f"All of it: {context.full_text}" if context.full_text else "`mlplan plan` shows all of it."
    return f"\n> {text} {where}\n"


def _head(plan: Plan, context: Context) -> str:
    """The summary, whose plan it is, and what it comes to at a glance."""
    against = f", compared with {_code(context.base)}" if context.base else ""
    part = "; only a part of the project was looked at" if not context.complete else ""
    lines = [
        f"**{_text(summary(plan, context.base))}**",
        "",
        f"Project {_code(plan.project)}{against}{part}",
        "",
    ]
    lines += [f"- **{label}** {_text(said)}" for label, said in glance(plan)]
    lines += [f"- note: {_text(note)}" for note in (*context.notes, *doubts(plan))]
    return "\n".join(lines).rstrip("\n") + "\n"


def _changes(plan: Plan, context: Context, detail: Detail) -> list[str]:
    """A heading for each impact that there is, and a piece for each change under it."""
    pieces: list[str] = []
    for impact, meaning in words.IMPACT_WORDS.items():
        group = [change for change in loud(plan) if change.impact == impact]
        if group:
            pieces.append(f"### {impact.capitalize()}: {meaning}\n")
        pieces += [_change(change, context, detail) for change in group]
        if group:
            pieces[-1] = pieces[-1].rstrip("\n") + "\n"
    return pieces


def _change(change: Change, context: Context, detail: Detail) -> str:
    """A line for the change; below it, its reasons and, folded, its fields."""
    asides = [words.conditional_text(change)]
    if context.attribution:
        asides.append(words.ATTRIBUTION_WORDS[context.attribution.get(change.address, "this-change")])
    if change.forecast:
        asides.append(words.forecast_text(change.forecast))
    said = "; ".join(aside for aside in asides if aside)
    lines = [
        f"- **{words.ACTION_WORDS[change.action].infinitive}** `{change.address}`" + (f" ({said})" if said else "")
    ]
    if change.loss:
        lines.append(f"  - **{_text(change.loss)}**")
    if detail != "lines":
        lines += [f"  - {_reason(words.reason_words(reason, change))}" for reason in change.reasons]
        lines += [f"  - {_text(words.pending_text(*waiting))}" for waiting in words.pending(change)]
        lines += [f"  - {_text(note)}" for note in change.notes]
        lines += [row for golden in change.golden for row in _golden(golden, change)]
    if detail == "fields":
        lines += _fields(change)
    return "\n".join(lines)


def _golden(golden: Golden, change: Change) -> list[str]:
    """What the service is asked, and what that came to if it was asked already."""
    asked = asked_text(golden, change)
    rows = [f"  - {_text(asks_text(golden, change))}", *([f"  - {_text(asked)}"] if asked else [])]
    return rows + [
        f"    - {_value(name)} {_value(before)} -> {_value(after)}" for name, before, after in examples(golden.report)
    ]


def _reason(said: words.ReasonWords) -> str:
    """A reason, what it is about and its values as code."""
    if not said.is_about_a_part:
        return _text(said.text)
    values = f" {_value(said.before)} -> {_value(said.after)}" if said.before else ""
    values = values or (f" {_value(said.after)}" if said.after else "")
    verb = f" {_text(said.verb)}" if said.verb else ""
    detail = f": {_text(said.detail)}" if said.detail else ""
    note = f" ({_text(said.note)})" if said.note else ""
    return f"{_value(said.subject)}{values}{verb}{detail}{note}"


def _fields(change: Change) -> list[str]:
    """The parts that differ, old -> new, as a folded table; for what is new, all of them."""
    rows = [
        f"  | {_text(field.name)} | {_value(field.before)} | {_value(field.after)} |"
        for field in words.fields(change)
    ]
    if not rows:
        return []
    head = ["", f"  <details><summary>{counted(len(rows), 'field')}</summary>", ""]
    return [*head, "  | field | before | after |", "  | --- | --- | --- |", *rows, "", "  </details>", ""]


def _quiet(plan: Plan) -> str:
    """What stays as it is, folded."""
    quiet = [change.address for change in plan.changes if change.is_quiet]
    if not quiet or plan.is_empty:
        return ""
    names = ", ".join(f"`{address}`" for address in quiet)
    return f"<details><summary>{len(quiet)} unchanged</summary>\n\n{names}\n\n</details>\n"


def _text(text: str) -> str:
    """Text in which nothing is Markdown, HTML, a link or a mention of somebody."""
    return escape(printable(text.replace("\n", " ")), quote=False).translate(_MARKUP)


def _value(text: str) -> str:
    return _code(shortened(text, VALUE_LENGTH)) if text else ""


def _code(text: str) -> str:
    """Text as code; a tag, because backticks can't hold every text."""
    return f"<code>{_text(text)}</code>"
