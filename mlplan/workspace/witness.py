"""What this machine saw last of a log: notices an end that was cut off, or another log in its place.

It is a cache: without it mlplan works as well, and only those two go unnoticed.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.state.checkpoint import Checkpoint


class Witness:
    """Remembers the last serial and digest seen, under `path`."""

    def __init__(self, path: str, place: str, write: Callable[[str, bytes], None]) -> None:
        self._path = path
        self._place = place  # of the workspace, as shown to the user; another one has another history
        self._write = write
        self._known: tuple[str, int] | None = None

    def recall(self) -> tuple[str, int] | None:
        """The lineage and the serial seen last. Ask before reading the log: what others commit meanwhile is in
        neither, and what is remembered is in the log."""
        try:
            with open(self._path, encoding="utf-8") as stream:
                place, lineage, serial = json.load(stream)
        except (OSError, ValueError, TypeError):
            return None
        if place != self._place or type(lineage) is not str or type(serial) is not int:
            return None
        return lineage, serial

    def check(self, tip: Checkpoint, seen: tuple[str, int] | None) -> None:
        """Holds the log against what was recalled.

        Raises: Refusal MLP4002 where commits are gone, MLP4003 where it is another history.
        """
        if seen is None:
            return
        lineage, serial = seen
        hint = f"restore log/ from a backup; if it was removed on purpose, forget it with:\n\n    rm {self._path}"
        if tip.state.serial and tip.state.lineage != lineage:
            detail = f"{self._place} holds another history than when this project saw it last."
            raise Refusal([codes.MLP4003.diagnostic(detail, hint=hint)])
        if tip.state.serial < serial:
            detail = f"The log of {self._place} ends at commit {tip.state.serial}; it went on to {serial} before."
            raise Refusal([codes.MLP4002.diagnostic(detail, hint=hint)])
        self._known = seen

    def remember(self, tip: Checkpoint) -> None:
        """Notes what was seen. Where that can't be written, nothing is noted."""
        now = tip.state.lineage, tip.state.serial
        if tip.state.serial and now != self._known:
            try:
                self._write(self._path, json.dumps([self._place, *now]).encode())
            except (OSError, Refusal):
                return
            self._known = now
