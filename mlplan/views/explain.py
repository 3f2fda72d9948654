"""Why an address would change: the shortest chain of causes, down to the line of the manifest or the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.plan.causes import chain, place_of
from mlplan.views import words
from mlplan.views.terminal import Line, line, painted, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlplan.address import Address
    from mlplan.manifest.resolved import Manifest
    from mlplan.plan.causes import Link
    from mlplan.plan.changes import Plan, Reason


def render(
    address: Address,
    plan: Plan,
    manifest: Manifest,
    *,
    blame: Callable[[str, int | None], str],
    read_line: Callable[[str, int], str],
    colour: bool,
    width: int,
) -> str:
    """The chain, the asked address first, each change with the reasons that lead on.

    `blame` says who last touched a line of a file, or the file: "" where nobody can say. `read_line` gives a line.
    """
    links = chain(address, plan)
    if not links:
        return f"{address} doesn't change: it is as the manifest says.\n"
    rows: list[Line] = []
    for depth, link in enumerate(links):
        rows += _link(link, depth, manifest, blame, read_line)
    return painted([row for long in rows for row in wrapped(long, width, 6)], colour=colour)


def _link(
    link: Link,
    depth: int,
    manifest: Manifest,
    blame: Callable[[str, int | None], str],
    read_line: Callable[[str, int], str],
) -> list[Line]:
    change = link.change
    verb = words.ACTION_WORDS[change.action].infinitive
    head = "because " if depth else ""
    rows = [line("  " * depth + head, (str(change.address), "bold"), f" is to {verb}")]
    for reason in link.reasons:
        rows.append(line("  " * depth + "    ", words.reason_words(reason, change).text))
        rows += [
            line("  " * depth + "      ", (text, "dim")) for text in _where(reason, link, manifest, blame, read_line)
        ]
    return rows


def _where(
    reason: Reason,
    link: Link,
    manifest: Manifest,
    blame: Callable[[str, int | None], str],
    read_line: Callable[[str, int], str],
) -> list[str]:
    """The line of the manifest, or the file, that a reason speaks of; and who touched it last."""
    place = place_of(reason, link.change, manifest)
    if place is not None:
        found = [f"{place} | {read_line(place.file, place.line).strip()}"]
        who = blame(place.file, place.line)
    elif "/" in reason.subject or reason.subject.endswith(".py"):
        found, who = [], blame(reason.subject, None)
    else:
        return []
    return [*found, who] if who else found
