"""Who caused each change of a plan on the state: this change, the base, or the world. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Literal

from mlplan.address import Address
from mlplan.plan.causes import cause_of
from mlplan.plan.changes import Plan

Attribution = Literal["this-change", "pending", "drift"]
"""Who caused a change: what is proposed here, what the base had not applied yet, or the world."""

PRECEDENCE: tuple[Attribution, ...] = ("this-change", "pending", "drift")
"""Which one is told where a change has several causes."""


def attribute(plan: Plan, changed: Set[Address]) -> Mapping[Address, Attribution]:
    """Who caused each change that isn't quiet. `changed` are the addresses that differ between base and head.

    What only follows from another change has the cause of that one.
    """
    changes = {change.address: change for change in plan.changes if not change.is_quiet}
    found: dict[Address, Attribution] = {}
    for address, change in changes.items():  # in the order of the graph: causes come before what follows
        causes: set[Attribution] = {"this-change"} if address in changed else set()
        for reason in change.reasons:
            upstream = cause_of(reason, changes)
            if upstream is not None:
                causes.add(found.get(upstream, "pending"))
            else:
                causes.add("drift" if reason.cause == "drift" else "pending")
        found[address] = min(causes, key=PRECEDENCE.index, default="pending")
    return found
