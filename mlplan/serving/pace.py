"""Finds out where a model belongs: in the event loop, or in a thread beside it.

Unless its configuration says, a model starts in a thread, moves into the loop when its calls are short, and back when
they are long. A busy machine makes short calls look long: what the loop's thread waited for a processor doesn't
count, and it takes several long calls, or one beyond doubt.
"""

from __future__ import annotations

from time import monotonic
from typing import Callable

from .run_delay import RunDelay

SAMPLE = 200  # calls that are looked at before it moves in
SHORT_S = 0.0005
_MAX_LONGER = 0.3  # the share of them that may take longer than that
LONG_S = 0.005
MAX_LONG = 3  # long calls among SAMPLE that move it out
VERY_LONG_S = 0.05
HOLD_S = 60.0  # for how long it stays out then
SMALL_BODY = 16 * 1024  # what may run in the loop whatever was seen before


class Pace:
    """The pace of a model's calls, and what follows from it."""

    def __init__(
        self,
        dispatch: str,
        *,
        quick: bool,
        clock: Callable[[], float] = monotonic,
        waited_s: Callable[[], float] | None = None,
    ) -> None:
        self.adaptive = dispatch == "adaptive"
        self.inline = dispatch == "inline" or (self.adaptive and quick)
        self._clock = clock
        self._waited_s = waited_s or RunDelay().since_last  # for a processor, since it was asked before
        self._largest_inline = SMALL_BODY
        self._hold_until = 0.0
        self._sampled = self._longer = self._long = self._largest = 0

    def is_inline(self, body: bytes) -> bool:
        """Whether a request with this body runs in the event loop."""
        return self.inline and len(body) <= self._largest_inline

    def tick(self) -> None:
        """To be called about twice a second: what the machine's other work took before isn't a call's."""
        self._waited_s()

    def learn(self, taken_s: float, body: int) -> None:
        """Takes note of a call, and moves the model into the loop or out of it."""
        if self.inline and body > self._largest_inline and taken_s > LONG_S:
            return  # it ran beside the loop for its size, as others of that size will: nobody waited for it
        if taken_s > LONG_S and self.inline:
            taken_s -= self._waited_s()
        self._sampled += 1
        self._longer += taken_s > SHORT_S
        self._long += taken_s > LONG_S
        self._largest = max(self._largest, body)
        if taken_s > VERY_LONG_S or self._long >= MAX_LONG:
            self.inline = False
            self._hold_until = self._clock() + HOLD_S
        elif self._sampled < SAMPLE:
            return
        elif self._longer <= _MAX_LONGER * self._sampled and self._clock() >= self._hold_until:
            self.inline = True
            self._largest_inline = max(SMALL_BODY, 2 * self._largest)
        self._forget()

    def _forget(self) -> None:
        self._sampled = self._longer = self._long = self._largest = 0
