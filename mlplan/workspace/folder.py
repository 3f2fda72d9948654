"""A folder as a store. Writes are made aside, flushed, and only then get their name; so they survive a power cut and
nobody ever sees half of one."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.workspace.store import Stored

ASIDE = "tmp"
"""The folder, inside the store, where files are written before they get their name."""

BEGUN = "begun"
"""The folder, inside a copy of a bucket's artifacts, that holds files, under their digest, which aren't whole yet."""

PIECE = 1 << 20
"""Bytes that are copied at a time."""

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, getattr(errno, "ENOTSUP", errno.EOPNOTSUPP)}


class FolderStore:
    """`Store` in a folder, which is made by the first write."""

    def __init__(self, root: str) -> None:
        self._root = root

    def __repr__(self) -> str:
        return self._root

    def create(self, name: str, data: bytes) -> bool:
        path = self._path(name)
        try:
            aside = self._write_aside(data, durable=True)
            try:
                make_folder(os.path.dirname(path))
                os.link(aside, path)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno in _NO_LINKS:
                    detail = f"{self._root} is on a file system without hard links ({error.strerror})."
                    raise Refusal([codes.MLP4303.diagnostic(detail)]) from error
                raise
            finally:
                os.unlink(aside)
            sync_folder(os.path.dirname(path))
        except OSError as error:
            raise refusal(error, path) from error
        return True

    def replace(self, name: str, data: bytes) -> None:
        path = self._path(name)
        try:
            aside = self._write_aside(data, durable=False)
            try:
                make_folder(os.path.dirname(path))
                os.replace(aside, path)
            except OSError:
                os.unlink(aside)
                raise
        except OSError as error:
            raise refusal(error, path) from error

    def get(self, name: str) -> bytes | None:
        path = self._path(name)
        try:
            return read_file(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise refusal(error, path) from error

    def get_many(self, names: Sequence[str]) -> Sequence[bytes | None]:
        return [self.get(name) for name in names]

    def list_from(self, folder: str, first: str = "") -> Sequence[str]:
        path = self._path(folder)
        try:
            return sorted(name for name in os.listdir(path) if name >= first)
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise refusal(error, path) from error

    def head(self, name: str) -> Stored | None:
        path = self._path(name)
        try:
            found = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise refusal(error, path) from error
        return Stored(found.st_size, self._now() - found.st_mtime)

    def delete(self, name: str) -> None:
        path = self._path(name)
        try:
            os.unlink(path)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            raise refusal(error, path) from error

    def has(self, name: str, size: int) -> bool:
        try:
            return os.stat(self._path(name)).st_size == size
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise refusal(error, self._path(name)) from error

    def sizes(self, folder: str) -> Mapping[str, int]:
        top = self._path(folder)
        found = {}
        try:
            for above, _, names in os.walk(top):
                for name in names:
                    path = f"{above}/{name}"
                    found[path.removeprefix(f"{top}/").replace(os.sep, "/")] = os.stat(path).st_size
        except OSError as error:
            raise refusal(error, str(error.filename or top)) from error
        return found

    def download(self, name: str, write: Callable[[bytes], object]) -> bool:
        try:
            with open(self._path(name), "rb") as stream:
                while piece := stream.read(PIECE):
                    write(piece)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise refusal(error, self._path(name)) from error
        return True

    def upload(self, name: str, path: str, on_bytes: Callable[[int], None] | None = None) -> None:
        target = self._path(name)
        try:
            aside = aside_path(self._root)
            try:
                with open(path, "rb") as stream, open(aside, "xb") as copy:
                    while piece := stream.read(PIECE):
                        copy.write(piece)
                        if on_bytes:
                            on_bytes(len(piece))
                    copy.flush()
                    os.chmod(aside, 0o444)
                    os.fsync(copy.fileno())
                make_folder(os.path.dirname(target))
                os.replace(aside, target)
            except OSError:
                with suppress(FileNotFoundError):
                    os.unlink(aside)
                raise
            sync_folder(os.path.dirname(target))
        except OSError as error:
            raise refusal(error, target) from error

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _write_aside(self, data: bytes, *, durable: bool) -> str:
        aside = aside_path(self._root)
        fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            if durable:
                os.fsync(fd)
        except BaseException:
            os.unlink(aside)
            raise
        finally:
            os.close(fd)
        return aside

    def _now(self) -> float:
        """The time by the clock that stamps files here; on a network file system that is the server's."""
        try:
            probe = self._write_aside(b"", durable=False)
            try:
                return os.stat(probe).st_mtime
            finally:
                os.unlink(probe)
        except OSError:
            return time.time()


def aside_path(root: str) -> str:
    """A name of its own in the store's `tmp` folder, which is made where it is absent.

    It begins with the process id, by which leftovers of a crash are known (`sweep`).
    """
    folder = f"{root}/{ASIDE}"
    if not os.path.isdir(folder):
        if not os.path.isdir(root):
            make_private_folder(root)
        make_folder(folder)
    return f"{folder}/{os.getpid()}-{os.urandom(8).hex()}"


def make_private_folder(path: str) -> None:
    """Makes a folder that git leaves alone; one that is there is given what tells git so."""
    if not os.path.exists(f"{path}/.gitignore"):
        make_folder(path)
        with open(f"{path}/.gitignore", "w", encoding="ascii") as stream:
            stream.write("*\n")


def make_folder(path: str) -> None:
    """Makes a folder and those above it, each made known to the disk. Fine where it is there."""
    if os.path.isdir(path):
        return
    above = os.path.dirname(path)
    make_folder(above)
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    sync_folder(above)


def sync_folder(path: str) -> None:
    """Makes the names in a folder durable, where the system can."""
    if os.name == "nt":  # folders can't be opened there; NTFS journals names by itself
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def read_file(path: str) -> bytes:
    """The bytes of a file, in few calls."""
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(fd).st_size
        data = os.read(fd, size + 1)
        if len(data) == size:
            return data
        parts = [data]
        while part := os.read(fd, 1 << 20):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def refusal(error: OSError, path: str) -> Refusal:
    """What the operating system said, as a diagnostic."""
    said = error.strerror or type(error).__name__
    detail = f"{path}: {said}."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "make room, then start the command again; what was recorded is whole"
        return Refusal([codes.MLP4302.diagnostic(detail, hint=hint)])
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        hint = "check who owns the folder, and whether its file system is mounted read-only"
        return Refusal([codes.MLP4301.diagnostic(detail, hint=hint)])
    hint = "check the disk or the network file system that it stands on, then start the command again"
    return Refusal([codes.MLP4304.diagnostic(detail, hint=hint)])
