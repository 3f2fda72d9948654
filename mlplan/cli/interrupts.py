"""Ctrl-C: the first ends what runs, in order, and is recorded; the second stops at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from mlplan.cli.globals import tell
from mlplan.errors import ExitCode


@contextmanager
def stop_on_interrupt(stop: threading.Event) -> Iterator[None]:
    """While this lasts, SIGINT and SIGTERM set `stop`; a second SIGINT ends the process there and then.

    Nothing is lost by that: what runs goes on, is known to the log, and is found again by the next apply.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            tell("\nStopped at once. What runs goes on; the next apply finds it.")
            os._exit(ExitCode.INTERRUPTED)
        stop.set()
        tell("\nEnding what runs. Press Ctrl-C again to stop at once.")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
