"""Large files in a bucket: kept in parts, each an object of its own that is written and read in one request.

    artifacts/ab/<the others>           a kept file of up to LARGE bytes
    artifacts/ab/<the others>/2-of-13   the second part of a larger one

A file is whole once all its parts are there, and the name of each tells how many those are. So an upload that was cut
off goes on with what is missing, and what it left behind is never taken for the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import accumulate
from threading import Lock, Semaphore
from typing import NamedTuple, Protocol

from mlplan.workspace.folder import refusal
from mlplan.workspace.parallel import in_parallel
from mlplan.workspace.protocols import OnBytes

LARGE = 16 << 20
"""Bytes above which a file is kept in parts: for smaller ones it isn't worth the request that finds them."""

PART = 4 << 20
"""Bytes of a part; the last one may have fewer."""

AT_ONCE = 16
"""Requests that are made side by side: they wait for the network, not for a core."""

ROOM = 64 << 20
"""Bytes of all files together that are sent at the same time, or fetched in parts: they are in memory meanwhile, and
a request has to end in its time (`bucket.TIMEOUT_S`), on a slow line, too."""

ROW = 8
"""Parts of a file that are fetched side by side, before they are handed on in order."""


class Objects(Protocol):
    """What a bucket does with whole objects."""

    def read(self, name: str) -> bytes | None:
        """The bytes of an object, or None where there is none."""

    def replace(self, name: str, data: bytes) -> None:
        """Writes an object, whatever was there."""

    def object_size(self, name: str) -> int | None:
        """The size of an object, or None where there is none."""

    def objects(self, folder: str) -> Mapping[str, int]:
        """Names (without the folder) and sizes of all objects below a folder."""


class _Part(NamedTuple):
    """Some bytes of a file."""

    name: str
    start: int
    size: int


def has(store: Objects, name: str, size: int) -> bool:
    """Whether a file of that size is there as a whole."""
    if size <= LARGE:
        return store.object_size(name) == size
    there = store.objects(name)
    return all(there.get(part.name) == part.size for part in _parts_of(size))


def upload(store: Objects, name: str, path: str, on_bytes: OnBytes | None = None) -> None:
    """Writes a local file: of a large one the parts that aren't there. Those that are count as sent."""
    size = os.path.getsize(path)
    if size <= LARGE:
        _send(store, name, path, _Part("", 0, size))
        if on_bytes:
            on_bytes(size)
        return
    there = store.objects(name)

    def send(part: _Part) -> None:
        if there.get(part.name) != part.size:
            _send(store, f"{name}/{part.name}", path, part)
        if on_bytes:
            on_bytes(part.size)

    in_parallel(send, _parts_of(size), threads=AT_ONCE)


def download(store: Objects, name: str, write: Callable[[bytes], object], start: int = 0) -> bool:
    """Hands a file's bytes to `write`, in order, from the byte `start` on; False where it isn't there as a whole."""
    whole = store.read(name)
    if whole is not None:
        write(whole[start:])
        return True
    parts = _whole(store.objects(name))
    wanted = [part for part in parts if part.start + part.size > start]
    for first in range(0, len(wanted), ROW):
        row = wanted[first : first + ROW]
        with _room(sum(part.size for part in row)):
            found = in_parallel(lambda part: store.read(f"{name}/{part.name}"), row, threads=AT_ONCE)
            for part, data in zip(row, found, strict=True):
                if data is None:
                    return False
                write(data[max(0, start - part.start) :])
    return bool(parts)


def sizes(objects: Mapping[str, int]) -> dict[str, int]:
    """The files that these objects are, with their sizes; parts of one that isn't whole are none."""
    found: dict[str, int] = {}
    in_parts: dict[str, dict[str, int]] = {}
    for name, size in objects.items():
        file = file_of(name)
        if file == name:
            found[name] = size
        else:
            in_parts.setdefault(file, {})[name.removeprefix(f"{file}/")] = size
    for file, there in in_parts.items():
        if parts := _whole(there):
            found[file] = sum(part.size for part in parts)
    return found


def file_of(name: str) -> str:
    """The name of the file that an object is, or is a part of."""
    file, _, part = name.rpartition("/")
    return file if _NAME.fullmatch(part) else name


_NAME = re.compile(r"[1-9]\d*-of-([1-9]\d*)")


def _parts_of(size: int) -> list[_Part]:
    """How a file of that size is cut."""
    starts = range(0, size, PART)
    ends = [*starts[1:], size]
    return [
        _Part(f"{number}-of-{len(ends)}", start, end - start)
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
    ]


def _whole(there: Mapping[str, int]) -> list[_Part]:
    """The parts of a file in order, of these objects below its name; none where one is missing."""
    for count in sorted({int(found[1]) for found in map(_NAME.fullmatch, there) if found}):
        if count > len(there):
            break
        names = [f"{number}-of-{count}" for number in range(1, count + 1)]
        if all(name in there for name in names):
            ends = list(accumulate(there[name] for name in names))
            return [_Part(name, end - there[name], there[name]) for name, end in zip(names, ends, strict=True)]
    return []


def _send(store: Objects, name: str, path: str, part: _Part) -> None:
    """Writes some bytes of a local file to an object."""
    with _room(part.size):
        try:
            with open(path, "rb") as stream:
                stream.seek(part.start)
                data = stream.read(part.size)
        except OSError as error:
            raise refusal(error, path) from error
        store.replace(name, data)


_MIB = 1 << 20
_free = Semaphore(ROOM // _MIB)
_turn = Lock()


@contextmanager
def _room(size: int) -> Iterator[None]:
    """Room for so many bytes, or all there is. It is waited for in turn, so that nobody waits with half of it."""
    pieces = min(-(-size // _MIB), ROOM // _MIB)
    with _turn:
        for _ in range(pieces):
            _free.acquire()
    try:
        yield
    finally:
        if pieces:
            _free.release(pieces)
