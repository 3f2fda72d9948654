"""The small store that log, checkpoint and lease are written to: a folder, a bucket, or memory.

What each of them has is *create if absent*; everything above needs no more than that. Names are relative, with "/".
Every method raises Refusal (MLP43xx, MLP44xx) where the store can't be reached, read or written.

Implementations: `folder.py`, `bucket.py`, `memory.py`. All pass `tests/contract/test_stores.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


class Source(Protocol):
    """A store as far as it is read from to copy it: a folder, a bucket, or an archive."""

    def get(self, name: str) -> bytes | None: ...

    def get_many(self, names: Sequence[str]) -> Sequence[bytes | None]: ...

    def list_from(self, folder: str, first: str = "") -> Sequence[str]: ...

    def sizes(self, folder: str) -> Mapping[str, int]:
        """Names (without the folder) and sizes of all that is below a folder, at any depth."""

    def download(self, name: str, write: Callable[[bytes], object]) -> bool:
        """Hands the bytes of that name to `write`, piece by piece; False where there are none."""


class ContentStore(Store, Source, Protocol):
    """A store that holds artifacts, too, of any size: a folder, or a bucket."""

    def has(self, name: str, size: int) -> bool:
        """Whether what has that name is of that size, and whole."""

    def upload(self, name: str, path: str, on_bytes: Callable[[int], None] | None = None) -> None:
        """Writes a local file's bytes, and tells how many more are there. Others see them whole or not at all; they
        are durable when it returns."""
