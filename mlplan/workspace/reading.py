"""Reads a user's files: walks folders, digests and copies content. Writes nothing of the user's."""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.workspace.parallel import in_parallel

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

CHUNK = 256 << 10
"""Bytes read at a time: small enough to stay in a core's own cache between reading and digesting."""

BIG = 1 << 20
"""A file of this size or more is worth a thread."""

COLUMNS = 4
"""Numbers by which a file is known to be unchanged: size, mtime_ns, ctime_ns, inode."""


class Found(NamedTuple):
    """Files found on disk, in the order of their paths in the tree; `stats` holds COLUMNS numbers for each."""

    names: list[str]  # paths in the tree, with "/"
    paths: list[str]  # where they are
    stats: array[int]
    executables: frozenset[str]  # names of those that can be executed


def walk(folder: str) -> Found:
    """All files below a folder. A symlink is followed where it leads to something inside the folder.

    Raises: Refusal MLP4203 for a link that leads out or nowhere, MLP4205 for what can't be read.
    """
    walker = _Walker(folder)
    try:
        walker.enter(folder, "", ())
    except OSError as error:
        raise unreadable(error, str(error.filename or folder)) from error
    return walker.found()


class _Walker:
    """One walk: rows are (name in the tree, path, size, mtime_ns, ctime_ns, inode, mode)."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._real_root = ""
        self._rows: list[tuple[str, str, os.stat_result]] = []

    def enter(self, folder: str, prefix: str, inside: tuple[str, ...]) -> None:
        """Takes in a folder. `inside` holds the real paths of the links that led here."""
        rows = self._rows
        with os.scandir(folder) as entries:
            for entry in entries:
                found = entry.stat(follow_symlinks=False)
                kind = stat.S_IFMT(found.st_mode)
                if kind == stat.S_IFREG:
                    rows.append((prefix + entry.name, entry.path, found))
                elif kind == stat.S_IFDIR:
                    self.enter(entry.path, f"{prefix}{entry.name}/", inside)
                elif kind == stat.S_IFLNK:
                    self._follow(entry.path, prefix + entry.name, inside)
                else:
                    raise _refuse_special(entry.path)

    def found(self) -> Found:
        """All that was taken in, sorted."""
        rows = sorted(self._rows)
        stats = array("q")
        for _, _, found in rows:
            stats.extend((found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & _MAX))
        executables = frozenset(name for name, _, found in rows if found.st_mode & 0o100)
        return Found([name for name, _, _ in rows], [path for _, path, _ in rows], stats, executables)

    def _follow(self, path: str, name: str, inside: tuple[str, ...]) -> None:
        self._real_root = self._real_root or os.path.realpath(self._root)
        real = os.path.realpath(path)
        if not real.startswith(self._real_root + os.sep) or real in inside:
            detail = f"{path} is a link to {real}, which is not inside {self._root}."
            if real in inside or self._real_root.startswith(real):
                detail = f"{path} is a link to {real}, a folder that it stands in."
            raise Refusal([codes.MLP4203.diagnostic(detail, hint="copy the file to where the link is")])
        try:
            found = os.stat(path)
        except FileNotFoundError:
            detail = f"{path} is a link to {real}, and there is nothing."
            raise Refusal([codes.MLP4203.diagnostic(detail, hint="remove the link, or mend it")]) from None
        if stat.S_ISDIR(found.st_mode):
            if os.path.realpath(os.path.dirname(path)).startswith(real):
                detail = f"{path} is a link to {real}, a folder that it stands in."
                raise Refusal([codes.MLP4203.diagnostic(detail, hint="remove the link")])
            self.enter(path, f"{name}/", (*inside, real))
        elif stat.S_ISREG(found.st_mode):
            self._rows.append((name, path, found))
        else:
            raise _refuse_special(path)


_MAX = (1 << 63) - 1


def look_at(names: list[str], paths: list[str]) -> Found:
    """The given files as they are on disk now. `names` must be sorted.

    Raises: Refusal MLP4205 for one that is missing or no plain file.
    """
    stats, executables = array("q"), []
    for name, path in zip(names, paths, strict=True):
        try:
            found = os.stat(path)
        except OSError as error:
            raise unreadable(error, path) from error
        if not stat.S_ISREG(found.st_mode):
            raise _refuse_special(path)
        stats.extend((found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & _MAX))
        if found.st_mode & 0o100:
            executables.append(name)
    return Found(names, paths, stats, frozenset(executables))


def digest_files(paths: list[str], sizes: list[int], on_bytes: Callable[[int], None] | None = None) -> list[str]:
    """The sha256 of each file; big ones side by side on all cores, small ones one after another, which is faster for
    them. Raises: Refusal MLP4204, MLP4205."""
    big = [index for index, size in enumerate(sizes) if size >= BIG]
    big.sort(key=lambda index: -sizes[index])  # so that no core is left with the biggest at the end
    digests = dict(zip(big, in_parallel(lambda i: digest_file(paths[i], on_bytes), big), strict=True))
    return [digests.get(i) or digest_file(path, on_bytes) for i, path in enumerate(paths)]


def digest_file(path: str, on_bytes: Callable[[int], None] | None = None) -> str:
    """The sha256 of a file. Raises: Refusal MLP4204 where it changed meanwhile, MLP4205 where it can't be read."""
    return read_through(path, None, on_bytes)[0]


def read_through(
    path: str, write: Callable[[memoryview | bytes], object] | None, on_bytes: Callable[[int], None] | None = None
) -> tuple[str, int]:
    """Digests a file and hands each piece to `write`, in one pass. Returns its sha256 and its size.

    Raises: Refusal MLP4204, MLP4205. What `write` raises goes through as it is.
    """
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise unreadable(error, path) from error
    try:
        before = os.fstat(fd)
        size = before.st_size
        if size < CHUNK:
            data = _read(fd, size + 1, path)
            digest, done = sha256(data), len(data)
            if write is not None and data:
                write(data)
            if on_bytes is not None and data:
                on_bytes(done)
        else:
            digest, done = _read_in_pieces(fd, size, path, write, on_bytes)
        after = os.fstat(fd)
        if done != size or after.st_mtime_ns != before.st_mtime_ns or after.st_size != size:
            hint = "let the program that writes it finish, then start the command again"
            raise Refusal([codes.MLP4204.diagnostic(f"{path} was written to while it was read.", hint=hint)])
        return digest.hexdigest(), size
    finally:
        os.close(fd)


def _read_in_pieces(
    fd: int,
    size: int,
    path: str,
    write: Callable[[memoryview | bytes], object] | None,
    on_bytes: Callable[[int], None] | None,
) -> tuple[Hash, int]:
    digest, done = sha256(), 0
    buffer = memoryview(bytearray(CHUNK))
    # A file that somebody keeps writing to is left as soon as it is longer than it was.
    while done <= size and (count := _read_into(fd, buffer, path)):
        piece = buffer[:count]
        digest.update(piece)
        if write is not None:
            write(piece)
        if on_bytes is not None:
            on_bytes(count)
        done += count
    return digest, done


def _read(fd: int, count: int, path: str) -> bytes:
    try:
        return os.read(fd, count)
    except OSError as error:
        raise unreadable(error, path) from error


def _read_into(fd: int, buffer: memoryview, path: str) -> int:
    try:
        return os.readv(fd, [buffer])
    except OSError as error:
        raise unreadable(error, path) from error


def unreadable(error: OSError, path: str) -> Refusal:
    """What the operating system said about one of the user's files."""
    said = error.strerror or type(error).__name__
    return Refusal([codes.MLP4205.diagnostic(f"{path}: {said}.", hint="correct its permissions, or leave it out")])


def _refuse_special(path: str) -> Refusal:
    detail = f"{path} is no plain file."
    return Refusal([codes.MLP4205.diagnostic(detail, hint="leave it out, by an ignore file or by naming others")])
