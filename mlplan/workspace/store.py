"""The small store that log, checkpoint and lease are written to: a folder, a bucket, or memory.

What each of them has is *create if absent*; everything above needs no more than that. Names are relative, with "/".
Every method raises Refusal (MLP43xx, MLP44xx) where the store can't be reached, read or written.

Implementations: `folder.py`, `bucket.py`, `memory.py`. All pass `tests/contract/test_stores.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Stored(NamedTuple):
    """What a store knows of something it holds."""

    size: int  # in bytes
    age_s: float  # since it was last written, by the store's own clock: a client's clock may be wrong by a day


class Store(Protocol):
    """Bytes by name."""

    def create(self, name: str, data: bytes) -> bool:
        """Writes `data` unless something has that name; whole and durable when it returns True.

        False where the name is taken, also when it was this very call that took it and the answer was lost.
        """

    def replace(self, name: str, data: bytes) -> None:
        """Writes `data`, whatever was there. Readers see the old bytes or the new ones, never a mix. Not durable:
        for what can be made anew."""

    def get(self, name: str) -> bytes | None:
        """The bytes of that name, or None."""

    def get_many(self, names: Sequence[str]) -> Sequence[bytes | None]:
        """As `get` of each, side by side where that is faster."""

    def list_from(self, folder: str, first: str = "") -> Sequence[str]:
        """The names in a folder (without it) that don't sort before `first`, ascending."""

    def head(self, name: str) -> Stored | None:
        """Size and age, or None."""

    def delete(self, name: str) -> None:
        """Removes what has that name. Fine where nothing has."""
