"""What was begun from another checkout: its processes are where nobody here can look. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.json_types import Json


def elsewhere(known: Mapping[str, Json], here: str) -> str:
    """Where a service or job was started (`ann@laptop:/home/ann/tutorial`), from what is recorded of it; "" where it
    was from here. `here` is what this checkout is known by (`workspace/here.py`)."""
    checkout = known.get("checkout")
    if not isinstance(checkout, dict) or checkout.get("id") == here:
        return ""
    return str(checkout.get("at") or "another checkout")
