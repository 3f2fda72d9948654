"""What a plan's views are told beside the plan: where it comes from and who caused what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from mlplan.address import Address

Attribution = Literal["this-change", "pending", "drift"]
"""Who caused a change: what is proposed here, what the base had not applied yet, or the world."""


class Context(NamedTuple):
    """About a plan."""

    base: str = ""  # the revision that the plan was compared with instead of the state: "origin/main"
    attribution: Mapping[Address, Attribution] = {}  # empty where it isn't known
    complete: bool = True  # False where a selection left resources out
    full_text: str = ""  # where all of it can be read, for a view that had to leave something out


NO_CONTEXT = Context()
