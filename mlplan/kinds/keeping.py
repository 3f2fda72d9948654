"""Tells how far the keeping of artifacts is: reading and digesting them, then sending them where the workspace is."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from mlplan.events import ProgressMade

if TYPE_CHECKING:
    from mlplan.address import Address
    from mlplan.kinds.protocol import Effects
    from mlplan.workspace.protocols import OnBytes, OnSent


class Telling(NamedTuple):
    """What artifacts are put with."""

    on_bytes: OnBytes
    on_sent: OnSent


def telling(address: Address, total: int | None, effects: Effects) -> Telling:
    """For one change; `total` is the size of what is to be kept, in bytes, where that is known."""
    lock = threading.Lock()
    done = 0

    def on_bytes(count: int) -> None:
        nonlocal done
        with lock:  # large files are read side by side
            done += count
            effects.emit(ProgressMade(address, "keep", done, total))

    def on_sent(sent: int, to_send: int) -> None:
        effects.emit(ProgressMade(address, "send", sent, to_send))

    return Telling(on_bytes, on_sent)
