"""What was begun from another checkout: its processes may be where nobody here can look. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.json_types import Json


def elsewhere(known: Mapping[str, Json], here: Mapping[str, Json]) -> str:
    """Where a service or job was started (`ann@laptop:/home/ann/tutorial`), from what is recorded of it; "" where it
    was from here: from the checkout of that name, or at that place (`workspace/here.py`)."""
    checkout = known.get("checkout")
    if not isinstance(checkout, dict) or here.get("id") == checkout.get("id") or here.get("at") == checkout.get("at"):
        return ""
    return str(checkout.get("at"))
