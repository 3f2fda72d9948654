"""Why an address would change: the shortest chain of causes, down to the line of the manifest or the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.plan.causes import chain
from mlplan.views import words
from mlplan.views.terminal import Line, line, painted, wrapped
from mlplan.views.values import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlplan.address import Address
    from mlplan.plan.causes import Link
    from mlplan.plan.changes import Change, Plan, Reason
    from mlplan.plan.places import Place


def render(
    address: Address,
    plan: Plan,
    *,
    places: Callable[[Reason, Change], list[Place]],
    blame: Callable[[Place], str],
    read_line: Callable[[str, int], str],
    colour: bool,
    width: int,
) -> str:
    """The chain, the asked address first, each change with the reasons that lead on.

    `places` says where a reason was written, `blame` who touched a place last ("" where nobody can say), `read_line`
    gives a line of a file.
    """
    links = chain(address, plan)
    if not links:
        return f"{address} doesn't change: it is as the manifest says.\n"
    rows: list[Line] = []
    for depth, link in enumerate(links):
        rows += _head(link, depth)
        for reason in link.reasons:
            rows.append(line("  " * depth + "    ", words.reason_words(reason, link.change).text))
            for place in places(reason, link.change):
                rows += [
                    line("  " * depth + "      ", (printable(text), "dim"))
                    for text in (_said(place, read_line), blame(place))
                    if text
                ]
    rows += _others(links[0])
    return painted([row for long in rows for row in wrapped(long, width, _hang(long))], colour=colour)


def _hang(row: Line) -> int:
    """Where a row that is too long goes on: a little further in than it began."""
    start = row[0].text
    return len(start) - len(start.lstrip(" ")) + 2


def _others(link: Link) -> list[Line]:
    """Reasons of the asked change that the chain leaves out, being none of the shortest way: they count as well."""
    others = [
        words.reason_words(reason, link.change).text for reason in link.change.reasons if reason not in link.reasons
    ]
    return [line("  also, through others: ", text) for text in others]


def _head(link: Link, depth: int) -> list[Line]:
    change = link.change
    will = "will run" if change.action == "run" else f"will be {words.past_text(change.action)}"
    head = "because " if depth else ""
    return [line("  " * depth + head, (str(change.address), "bold"), f" {will}")]


def _said(place: Place, read_line: Callable[[str, int], str]) -> str:
    """The place, with its line where it is one."""
    if place.line is not None:
        return f"{place.file}:{place.line} | {read_line(place.file, place.line).strip()}"
    if place.gone:
        return f"{place.file}, from which it was taken out"
    return place.file or place.said


def page_text(page: str, width: int) -> str:
    """The page of a code with its sentences wrapped at `width` columns; examples and commands stay as they are."""
    rows: list[str] = []
    paragraph: list[str] = []
    fenced = False
    for row in [*page.split("\n"), ""]:
        goes_on = bool(row.strip()) and not fenced and not row.startswith(("    ", "```", "|", "- "))
        if paragraph and not goes_on:
            rows.append(_filled(paragraph, width))
            paragraph = []
        if goes_on or (row.startswith("- ") and not fenced):
            paragraph.append(row.strip())
        else:
            rows.append(row)
        fenced ^= row.startswith("```")
    return "\n".join(rows).rstrip("\n") + "\n"


def _filled(paragraph: list[str], width: int) -> str:
    from textwrap import fill

    hang = "  " if paragraph[0].startswith("- ") else ""
    text = " ".join(paragraph)
    return fill(text, width, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)
