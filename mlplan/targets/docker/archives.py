"""Tar archives, as the engine takes and gives them: streamed, and the same bytes for the same files."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TIME = 1_000_000_000
"""The time of every file in a build's context. Not 0: some programs can't pack files from before 1980."""
_BLOCK = 1 << 20


class Entry(NamedTuple):
    """One file or folder of an archive, with its owner. Its bytes, or the path here that they are read from."""

    path: str  # relative, with "/"
    data: bytes | None = None
    source: str | None = None
    mode: int = 0o664
    uid: int = 0

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.data is None and self.source is None


def folder(path: str, *, uid: int = 0, mode: int = 0o775) -> Entry:
    """A folder, to be there even where nothing is in it."""
    return Entry(path, mode=mode, uid=uid)


def text(path: str, content: str, *, mode: int = 0o664, uid: int = 0) -> Entry:
    """A file with this text."""
    return Entry(path, data=content.encode(), mode=mode, uid=uid)


def texts(files: Mapping[str, str]) -> list[Entry]:
    """Files by path and text."""
    return [text(path, content) for path, content in files.items()]


def tree(path: str, source: str, *, leave_out: Collection[str] = ()) -> list[Entry]:
    """A folder here with all in it, links followed, to stand at `path`. `leave_out` names entries at its top."""
    found = [folder(path)]
    for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
        if entry.name in leave_out:
            continue
        inside = f"{path}/{entry.name}"
        if entry.is_dir():
            found += tree(inside, entry.path)
        else:
            executable = entry.stat().st_mode & stat.S_IXUSR
            found.append(Entry(inside, source=entry.path, mode=0o775 if executable else 0o664))
    return found


def pack(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The archive, in blocks. Group 0 may write what its owner may: a container's user belongs to it."""
    for entry in entries:
        info = tarfile.TarInfo(entry.path)
        info.mtime, info.mode, info.uid = TIME, entry.mode, entry.uid
        if entry.is_folder:
            info.type = tarfile.DIRTYPE
            yield info.tobuf(tarfile.PAX_FORMAT)
        elif entry.data is not None:
            info.size = len(entry.data)
            yield info.tobuf(tarfile.PAX_FORMAT) + entry.data + _padding(info.size)
        else:
            assert entry.source is not None
            with open(entry.source, "rb") as stream:
                info.size = os.fstat(stream.fileno()).st_size
                yield info.tobuf(tarfile.PAX_FORMAT)
                left = info.size
                while left:
                    block = stream.read(min(left, _BLOCK))
                    if not block:
                        raise OSError(f"{entry.source} was cut while it was read")
                    left -= len(block)
                    yield block
                yield _padding(info.size)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


def unpack(archive: Iterable[bytes], target: str) -> None:
    """Writes what is below the archive's one top folder into `target`, which is empty.

    Owned by whoever calls; executable where it was. Links are made last, so that none is written through.
    """
    links: list[tuple[str, str]] = []
    with tarfile.open(fileobj=stream(archive), mode="r|") as packed:
        for member in packed:
            parts = [part for part in member.name.split("/")[1:] if part not in ("", ".")]
            path = os.path.join(target, *parts)
            if ".." in parts:
                continue
            if member.isdir():
                os.makedirs(path, exist_ok=True)
            elif member.issym():
                links.append((member.linkname, path))
            elif member.islnk():
                origin = [part for part in member.linkname.split("/")[1:] if part not in ("", ".", "..")]
                os.link(os.path.join(target, *origin), path)
            elif member.isfile():
                content = packed.extractfile(member)
                assert content is not None
                with open(path, "wb") as file:
                    while block := content.read(_BLOCK):
                        file.write(block)
                os.chmod(path, 0o755 if member.mode & stat.S_IXUSR else 0o644)
    for origin_text, path in links:
        os.symlink(origin_text, path)


def read_one(archive: Iterable[bytes]) -> bytes:
    """The bytes of the archive's one file."""
    with tarfile.open(fileobj=stream(archive), mode="r|") as packed:
        for member in packed:
            content = packed.extractfile(member)
            if content is not None:
                return content.read()
    return b""


def stream(blocks: Iterable[bytes]) -> io.RawIOBase:
    """Blocks as a file that is read once, from the front."""
    return _Stream(blocks)


class _Stream(io.RawIOBase):
    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = block
        taken = self._rest[: len(view)]
        view[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)
