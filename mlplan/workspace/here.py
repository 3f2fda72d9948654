"""Which checkout of the project this is. Several share a workspace, and each has jobs and services of its own.

The local folder holds a random name for it. That goes with the folder when it is moved, and tells two folders of the
same path on two machines apart.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

from mlplan.workspace.process import who

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = "checkout.json"


class Checkout(NamedTuple):
    """One checkout, as the log tells it."""

    id: str
    at: str  # ann@laptop:/home/ann/tutorial


def checkout_id(local: str) -> str:
    """What this checkout is known by; "" where nothing was begun from here yet."""
    try:
        with open(f"{local}/{FILE}", encoding="utf-8") as stream:
            found = json.load(stream)
    except (OSError, ValueError):
        return ""
    return found if isinstance(found, str) else ""


def this_checkout(local: str, create: Callable[[str, bytes], bool]) -> Checkout:
    """This checkout, which gets its name where it has none. Raises: Refusal where that can't be written."""
    if not checkout_id(local):
        create(FILE, json.dumps(os.urandom(8).hex()).encode())
    return Checkout(checkout_id(local), f"{who()}:{os.path.dirname(local)}")
