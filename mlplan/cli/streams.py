"""The standard streams: whole at the start, and what holds where nobody reads them any more, or no room is left.

Who only reads ends quietly where its reader goes (`mlplan plan | head`). Who changes the world goes on.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Callable


class Unwritten(Exception):
    """Standard output doesn't take what is written to it, for want of room say."""


def ready_streams() -> None:
    """Opens those that were closed (`mlplan plan >&-`), lest a file that is opened later takes their place; and has
    stdout show in another way what its encoding lacks, as stderr does."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Has standard output lead nowhere: what is still written to it fails no more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def patient(stream: TextIO) -> TextIO:
    """The stream for the view of some work: once nothing can be written to it, it takes everything and shows nothing,
    since a view must not stop the work."""
    return cast(TextIO, _Patient(stream))


class _Patient:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone = False

    def write(self, text: str) -> int:
        self._unless_gone(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._unless_gone(self._stream.flush)

    def _unless_gone(self, act: Callable[[], object]) -> None:
        if not self._gone:
            try:
                act()
            except OSError:
                self._gone = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
