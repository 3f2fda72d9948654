"""Copies of kept bytes for others to use: never the same inode, digested while they are copied."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from mlplan.workspace.reading import read_through

_FICLONE = 0x40049409


def copy_checked(source: str, target: str, mode: int, on_bytes: Callable[[int], None] | None = None) -> str:
    """Copies a file to a name that is free, in one pass with its digest, which is returned.

    Where the file system can, both share blocks on the disk until one of them is written to.
    Raises: OSError where the target can't be written; Refusal MLP4205 where the source can't be read.
    """
    fd = open_new(target, mode)
    try:
        if _share_blocks(source, fd):
            return read_through(source, None, on_bytes)[0]
        return read_through(source, lambda piece: write_all(fd, piece), on_bytes)[0]
    finally:
        os.close(fd)


def open_new(path: str, mode: int) -> int:
    """A descriptor to write a file that isn't there yet. Raises: FileExistsError where it is."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Writes every byte."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


_sharing: dict[int, bool] = {}
"""Whether a device can share blocks, as far as it was tried."""


def _share_blocks(source: str, target: int) -> bool:
    if sys.platform != "linux":
        return False
    device = os.fstat(target).st_dev
    if not _sharing.get(device, True):
        return False
    import fcntl

    try:
        fd = os.open(source, os.O_RDONLY)
    except OSError:
        return False  # reading it says what is wrong
    try:
        fcntl.ioctl(target, _FICLONE, fd)
    except OSError:
        _sharing[device] = False
        return False
    finally:
        os.close(fd)
    return True
