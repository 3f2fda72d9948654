"""A plan as Markdown, for a comment on a pull request: the summary first, then the changes by impact.

Never longer than a comment may be: what doesn't fit is counted, and where all of it can be read is said. What a user
or a branch wrote (names, values, reasons) is escaped for its place.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from mlplan.views import words
from mlplan.views.plan_context import NO_CONTEXT

if TYPE_CHECKING:
    from mlplan.json_types import Json
    from mlplan.plan.changes import Change, Impact, Plan
    from mlplan.views.plan_context import Context

LIMIT = 65_536
"""How many characters a comment may have."""

IMPACTS: tuple[Impact, ...] = ("destructive", "contract", "retrain", "serve-only", "cosmetic")
"""The worst first."""

FOOT = 400
"""Characters kept free for the sentence that says what is left out."""

ATTRIBUTION = {"this-change": "this change", "pending": "already pending", "drift": "drift"}


def render(plan: Plan, *, context: Context = NO_CONTEXT, limit: int = LIMIT) -> str:
    """The plan, at most `limit` characters."""
    pieces = [_head(plan, context)]
    used = len(pieces[0])
    loud = words.loud(plan)
    shown = 0
    for impact in IMPACTS:
        group = [change for change in loud if change.impact == impact]
        heading = f"\n### {impact.capitalize()}: {words.IMPACT_WORDS[impact]}\n\n" if group else ""
        for change in group:
            piece = heading + _change(change, context)
            if used + len(piece) > limit - FOOT:
                pieces.append(_left_out(len(loud) - shown, context))
                return "".join(pieces)
            pieces.append(piece)
            used += len(piece)
            shown += 1
            heading = ""
    quiet = [str(change.address) for change in plan.changes if change.is_quiet]
    folded = _folded(f"{words.counted(len(quiet), 'resource')} unchanged", "".join(f"- `{a}`\n" for a in quiet))
    if quiet and loud and used + len(folded) <= limit - FOOT:
        pieces.append("\n" + folded)
    return "".join(pieces)


def _head(plan: Plan, context: Context) -> str:
    against = f", compared with `{_code(context.base)}`" if context.base else ""
    lines = [f"**{escape(words.summary(plan), quote=False)}**", "", f"Project `{_code(plan.project)}`{against}"]
    if not context.complete:
        lines.append("\nOnly a part of the project was looked at.")
    lines += [f"- {label}: {_inline(said)}" for label, said in words.glance(plan)]
    return "\n".join(lines[:3] + ([""] if len(lines) > 3 else []) + lines[3:]) + "\n"


def _change(change: Change, context: Context) -> str:
    """A line for the change, its reasons, and the fields folded."""
    action = words.ACTION_WORDS[change.action]
    aside = [words.conditional_text(change), ATTRIBUTION.get(str(context.attribution.get(change.address)), "")]
    if change.forecast:
        aside.append(words.forecast_text(change.forecast))
    said = "; ".join(text for text in aside if text)
    lines = [f"- {action.symbol} **{action.infinitive}** `{change.address}`" + (f" ({said})" if said else "")]
    if change.loss:
        lines.append(f"  - **{_inline(change.loss)}**")
    lines += [f"  - {_inline(words.reason_words(reason, change).text)}" for reason in change.reasons]
    lines += [f"  - {_inline(note)}" for note in change.notes]
    fields = _fields(change)
    return "\n".join(lines) + "\n" + (f"\n{_folded('fields', fields)}\n" if fields else "")


def _fields(change: Change) -> str:
    """Field by field, old -> new, as a table; "" where there is nothing to compare."""
    if not change.before or not change.after:
        return ""
    rows = []
    for name in {**change.after, **change.before}:
        old, new = change.before.get(name), change.after.get(name)
        if old is not None and new is not None and old.digest == new.digest:
            continue
        rows.append(f"| {_cell(name)} | {_part(old)} | {_part(new)} |\n")
    return "| field | before | after |\n| --- | --- | --- |\n" + "".join(rows) if rows else ""


def _part(part: object) -> str:
    from mlplan.fingerprint import Part

    if not isinstance(part, Part):
        return ""
    if part.digest is None:
        return f"({words.LATER})"
    return _cell(words.shortened(words.value_text(part.value), 80)) if part.value is not None else part.digest[:10]


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{escape(title)}</summary>\n\n{body}\n</details>\n"


def _left_out(count: int, context: Context) -> str:
    where = f" All of it: {context.full_text}" if context.full_text else " `mlplan plan` shows all of it."
    return f"\n**{words.counted(count, 'more change')} left out here: a comment holds no more.**{where}\n"


def _inline(text: Json) -> str:
    """Text in which nothing is Markdown, HTML or a mention of somebody."""
    safe = escape(" ".join(str(text).split()), quote=False)
    for char in "\\`*_[]#|~@":
        safe = safe.replace(char, f"&#{ord(char)};")
    return safe


def _cell(text: str) -> str:
    return _inline(text)


def _code(text: str) -> str:
    return text.replace("`", "'")
