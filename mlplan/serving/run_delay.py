"""How long the event loop's thread has waited for a processor: what a busy machine adds to the time of a call."""

from __future__ import annotations

import sys
import threading


class RunDelay:
    """Counts for the thread that makes it. Where the system doesn't tell, nobody ever waited."""

    def __init__(self) -> None:
        self._path = f"/proc/self/task/{threading.get_native_id()}/schedstat"
        self._seen_s = self._total_s()

    def since_last(self) -> float:
        """Seconds waited since this was asked before."""
        before, self._seen_s = self._seen_s, self._total_s()
        return self._seen_s - before

    def _total_s(self) -> float:
        if not sys.platform.startswith("linux"):
            return 0.0
        try:
            with open(self._path, encoding="ascii") as stream:
                return int(stream.read().split()[1]) / 1e9
        except (OSError, IndexError, ValueError):  # a kernel that doesn't count it
            return 0.0
