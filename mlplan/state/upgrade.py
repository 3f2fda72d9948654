"""Older records, made into records of today's format, one pure function per step.

A record carries the number of the format it was written in. `STEPS[0]` makes a record of format 1 one of format 2,
and so on; whoever changes what a record says adds a step here and a pair `tests/golden/state/vN-NAME.in.json`,
`.out.json`. A record of a newer format than this mlplan knows is never guessed at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Step = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def _with_stopped_switches(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Format 2 has a kind of entry more, `switch-stopped`. What format 1 says, it says alike."""
    return record


STEPS: tuple[Step, ...] = (_with_stopped_switches,)
FORMAT = 1 + len(STEPS)
"""The format that is written today."""


class TooNew(Exception):
    """A record was written by a newer mlplan."""

    def __init__(self, found: int, known: int) -> None:
        self.found = found
        self.known = known
        super().__init__(f"format {found}, and this mlplan knows formats up to {known}")


def upgrade(record: Mapping[str, Any], steps: Sequence[Step] = STEPS) -> Mapping[str, Any]:
    """The record in the newest format. Raises: TooNew; ValueError for one that tells no format."""
    found = record.get("format")
    known = 1 + len(steps)
    if type(found) is not int or found < 1:
        raise ValueError("it tells no format")
    if found > known:
        raise TooNew(found, known)
    for number, step in enumerate(steps[found - 1 :], start=found + 1):
        record = {**step(record), "format": number}
    return record
