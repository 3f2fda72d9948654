"""Packs: many small files kept in one.

A file of its own for each of 100,000 small artifacts costs as many names to make, to flush, to look at and, in a
bucket, as many round trips. So where many small ones are kept at once, their bytes go one after another into a pack.

    packs/<sha256 of the pack>        bytes; then for each file its sha256 and size; then how many files there are
    packs/<digest of a tree>.json     which packs and which files outside of packs a tree needs, to be looked at
                                      instead of all its files; can be made anew from the packs

A pack that has no whole end counts as absent, and what is read from it is checked like every artifact.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import groupby
from typing import NamedTuple, TypeVar

from mlplan.json_types import canonical
from mlplan.workspace.copying import open_new, write_all
from mlplan.workspace.durable import flush_files, flush_folders
from mlplan.workspace.folder import aside_path, make_folder, read_file
from mlplan.workspace.protocols import FileEntry

T = TypeVar("T")

BELOW = 64 << 10
"""Files smaller than this go into packs."""

FROM = 500
"""As many of them at once are worth a pack."""

LARGEST = 256 << 20
"""Bytes after which another pack is begun."""

_END = b"mlplan pack 1\n"
_COUNT = struct.Struct("<Q")
_TAIL = _COUNT.size + len(_END)
_ROW = struct.Struct("<32sQ")


class Place(NamedTuple):
    """Where an artifact's bytes are."""

    path: str
    offset: int
    size: int


class Needs(NamedTuple):
    """The files by which a tree is whole, with their sizes."""

    packs: Mapping[str, int]
    loose: Mapping[str, int]

    def encode(self) -> bytes:
        """As bytes."""
        return canonical([self.packs, self.loose])

    @classmethod
    def decode(cls, data: bytes) -> Needs | None:
        """What these bytes spell, or None where they are damaged."""
        try:
            packs, loose = json.loads(data)
            return cls(dict(packs), dict(loose))
        except (ValueError, TypeError):
            return None


class Packs:
    """All packs of a workspace folder."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._folder = f"{root}/packs"
        self._places: dict[bytes, Place] = {}
        self._read: set[str] = set()

    def find(self, digest: str) -> Place | None:
        """Where an artifact is, or None where no pack has it."""
        if not self._read:
            self._read_all()
        return self._places.get(bytes.fromhex(digest))

    def write(self, paths: Iterable[str], read: Callable[[str], bytes]) -> Iterator[tuple[str, int]]:
        """Keeps files; yields the digest and size of each, in order. All are durable once the last was yielded.

        Raises: OSError, and what `read` raises.
        """
        pack = _NewPack(self._root)
        try:
            for path in paths:
                data = read(path)
                digest = sha256(data).digest()
                if self.find(digest.hex()) is None and digest not in pack:
                    if pack.size >= LARGEST:
                        self._finish(pack)
                        pack = _NewPack(self._root)
                    pack.add(digest, data)
                yield digest.hex(), len(data)
            self._finish(pack)
        finally:
            pack.drop()

    def read(self, wanted: Mapping[T, Place]) -> Iterator[tuple[T, bytes]]:
        """The bytes at these places, in the order in which they stand in their packs. Raises: OSError."""
        by_place = sorted(wanted.items(), key=lambda item: item[1])
        for path, group in groupby(by_place, key=lambda item: item[1].path):
            with open(path, "rb") as stream:
                for name, place in group:
                    stream.seek(place.offset)
                    yield name, stream.read(place.size)

    def needs(self, tree: str) -> Needs | None:
        """What a tree needs, as it was noted; None where it wasn't."""
        try:
            return Needs.decode(read_file(f"{self._folder}/{tree}.json"))
        except OSError:
            return None

    def find_needs(self, entries: Iterable[FileEntry]) -> Needs:
        """What a tree of these files needs. Raises: OSError."""
        packs: dict[str, int] = {}
        loose: dict[str, int] = {}
        for entry in entries:
            place = self.find(entry.sha256)
            if place is None:
                loose[entry.sha256] = entry.size
            elif (name := os.path.basename(place.path)) not in packs:
                packs[name] = os.stat(place.path).st_size
        return Needs(packs, loose)

    def note(self, tree: str, needs: Needs) -> None:
        """Notes what a tree needs. Raises: OSError."""
        make_folder(self._folder)
        aside = aside_path(self._root)
        try:
            with open(aside, "wb") as stream:
                stream.write(needs.encode())
            os.replace(aside, f"{self._folder}/{tree}.json")
        except OSError:
            os.unlink(aside)
            raise

    def size(self, pack: str) -> int | None:
        """The size of a pack's file, or None where it is gone."""
        try:
            return os.stat(f"{self._folder}/{pack}").st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def files(self) -> Iterator[tuple[str, int, frozenset[str]]]:
        """Each pack by name, with its size and the artifacts in it."""
        self._read_all()
        inside: dict[str, set[str]] = {}
        for digest, place in self._places.items():
            inside.setdefault(os.path.basename(place.path), set()).add(digest.hex())
        for name in sorted(self._read):
            yield name, self.size(name) or 0, frozenset(inside.get(name, ()))

    def remove(self, name: str) -> None:
        """Removes a pack, or what is noted of a tree. Raises: OSError."""
        for path in (f"{self._folder}/{name}", f"{self._folder}/{name}.json"):
            if os.path.exists(path):
                os.unlink(path)
        self.look_again()

    def look_again(self) -> None:
        """Takes in packs that came, and forgets those that went."""
        self._read.clear()
        self._places.clear()

    def _read_all(self) -> None:
        for name in sorted(os.listdir(self._folder)) if os.path.isdir(self._folder) else ():
            if len(name) == 64 and name not in self._read:
                self._places.update(_places(f"{self._folder}/{name}"))
                self._read.add(name)

    def _finish(self, pack: _NewPack) -> None:
        if pack.places:
            name = pack.close()
            make_folder(self._folder)
            path = f"{self._folder}/{name}"
            os.replace(pack.aside, path)
            flush_folders([self._folder])
            self._places.update({digest: Place(path, *where) for digest, where in pack.places.items()})
            self._read.add(name)


class _NewPack:
    """A pack being written aside."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._fd = -1
        self._digest = sha256()
        self._pending: list[bytes] = []
        self._pending_size = 0
        self.aside = ""
        self.size = 0
        self.places: dict[bytes, tuple[int, int]] = {}  # offset and size

    def __contains__(self, digest: bytes) -> bool:
        return digest in self.places

    def add(self, digest: bytes, data: bytes) -> None:
        """Adds a file's bytes."""
        self.places[digest] = self.size, len(data)
        self.size += len(data)
        self._put(data)

    def close(self) -> str:
        """Writes the end and makes it durable. Returns the pack's digest."""
        self._put(b"".join(_ROW.pack(digest, size) for digest, (_, size) in self.places.items()))
        self._put(_COUNT.pack(len(self.places)) + _END)
        self._write()
        os.close(self._fd)
        self._fd = -1
        flush_files([self.aside])
        return self._digest.hexdigest()

    def drop(self) -> None:
        """Removes what was written, unless it has got its name."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self.aside and os.path.exists(self.aside):
            os.unlink(self.aside)

    def _put(self, data: bytes) -> None:
        self._pending.append(data)
        self._pending_size += len(data)
        if self._pending_size >= 1 << 20:
            self._write()

    def _write(self) -> None:
        if self._fd < 0:
            self.aside = aside_path(self._root)
            self._fd = open_new(self.aside, 0o444)
        data = b"".join(self._pending)
        self._digest.update(data)
        write_all(self._fd, data)
        self._pending, self._pending_size = [], 0


def _places(path: str) -> dict[bytes, Place]:
    """What a pack holds; nothing where its end isn't whole."""
    found: dict[bytes, Place] = {}
    with open(path, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(size - _TAIL, 0))
        tail = stream.read()
        if len(tail) != _TAIL or not tail.endswith(_END):
            return found
        (count,) = _COUNT.unpack_from(tail)
        start = size - _TAIL - count * _ROW.size
        if start < 0:
            return found
        stream.seek(start)
        rows = stream.read(count * _ROW.size)
    offset = 0
    for digest, length in _ROW.iter_unpack(rows):
        found[digest] = Place(path, offset, length)
        offset += length
    return found if offset == start else {}
