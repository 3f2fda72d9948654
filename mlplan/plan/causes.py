"""Why a change is made, followed back to where somebody edited something. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from mlplan.address import KINDS, Address, parse_address
from mlplan.plan.changes import Change, Plan, Reason


class Link(NamedTuple):
    """One change of a chain, and the reasons that lead on from it or end it."""

    change: Change
    reasons: tuple[Reason, ...]


def chain(address: Address, plan: Plan) -> list[Link]:
    """The shortest chain from a change back to one that has a reason of its own; the asked one first.

    Empty for an address that isn't changed. Where a change has own reasons, the chain is that change alone.
    """
    changes = {change.address: change for change in plan.changes if not change.is_quiet}
    if address not in changes:
        return []
    came_from: dict[Address, Address | None] = {address: None}
    waiting = deque([address])
    while waiting:
        at = waiting.popleft()
        own = tuple(reason for reason in changes[at].reasons if cause_of(reason, changes) is None)
        if own:
            return _links(at, own, came_from, changes)
        for reason in changes[at].reasons:
            cause = cause_of(reason, changes)
            if cause is not None and cause not in came_from:
                came_from[cause] = at
                waiting.append(cause)
    return [Link(changes[address], changes[address].reasons)]


def _links(
    end: Address,
    own: tuple[Reason, ...],
    came_from: Mapping[Address, Address | None],
    changes: Mapping[Address, Change],
) -> list[Link]:
    links = [Link(changes[end], own)]
    at = end
    while (before := came_from[at]) is not None:
        leading = tuple(reason for reason in changes[before].reasons if cause_of(reason, changes) == at)
        links.append(Link(changes[before], leading))
        at = before
    return links[::-1]


def cause_of(reason: Reason, changes: Mapping[Address, Change]) -> Address | None:
    """The changed resource that a reason comes from: what it waits for, or the one that its part is; None for a
    reason of its own."""
    if reason.cause == "upstream":
        found = parse_address(str(reason.after))
    elif reason.cause in ("changed", "added"):
        kind, _, rest = reason.subject.partition(" ")
        found = Address(kind, rest.split(" ")[0]) if kind in KINDS and rest else None
    else:
        return None
    return found if found in changes else None
