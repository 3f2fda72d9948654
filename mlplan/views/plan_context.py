"""What a plan's views are told beside the plan: where it comes from and who caused what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from mlplan.address import Address

if TYPE_CHECKING:
    from mlplan.plan.attribution import Attribution as Attribution
    from mlplan.plan.make import Selection


class Context(NamedTuple):
    """About a plan."""

    base: str = ""  # the revision that the plan was compared with instead of the state: "origin/main"
    attribution: Mapping[Address, Attribution] = {}  # for a plan on the state; empty where it isn't known
    complete: bool = True  # False where a selection left resources out
    full_text: str = ""  # where all of it can be read, for a view that had to leave something out
    selection: Selection | None = None  # what a plan on the state was asked to look at; None: all of it
    notes: tuple[str, ...] = ()  # what no single change says and a reader has to know; sentences without their end


NO_CONTEXT = Context()
