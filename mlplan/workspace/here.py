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

    id: str  # "" where nothing was begun from it yet
    at: str  # ann@laptop:/home/ann/tutorial


def this_checkout(local: str) -> Checkout:
    """This checkout, by its local folder. Writes nothing."""
    return Checkout(_id(local), f"{who()}:{os.path.dirname(local)}")


def name_checkout(local: str, create: Callable[[str, bytes], bool]) -> Checkout:
    """The same, with a name given to one that has none. Raises: Refusal where that can't be written."""
    if not _id(local):
        create(FILE, json.dumps(os.urandom(8).hex()).encode())
    return this_checkout(local)


def _id(local: str) -> str:
    try:
        with open(f"{local}/{FILE}", encoding="utf-8") as stream:
            found = json.load(stream)
    except (OSError, ValueError):
        return ""
    return found if isinstance(found, str) else ""
