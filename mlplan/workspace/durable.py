"""Many new files made durable at once.

A file that gets its name before its bytes are on the disk can be found empty after a power cut. So files are written
aside, flushed, and renamed; flushing each by itself costs a round trip to the disk per file, which for 100,000 small
ones takes minutes. On Linux one `syncfs` flushes all of them: it also flushes what other programs have pending on
that one file system, which costs a moment, and it reports failed writes since Linux 5.8. Elsewhere each is flushed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from mlplan.workspace.folder import sync_folder
from mlplan.workspace.parallel import in_parallel

FEW = 16
"""Files that are flushed one by one rather than by `syncfs`."""


def flush_files(paths: Sequence[str]) -> None:
    """Makes the bytes of these files durable; all stand on one file system. Raises: OSError."""
    if len(paths) > FEW and _sync_file_system(paths[0]):
        return
    in_parallel(_flush, paths, threads=8)


def flush_folders(folders: Sequence[str]) -> None:
    """Makes the names in these folders durable; all stand on one file system. Raises: OSError."""
    if len(folders) > FEW and _sync_file_system(folders[0]):
        return
    for folder in folders:
        sync_folder(folder)


def _flush(path: str) -> None:
    fd = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _sync_file_system(path: str) -> bool:
    """Flushes all that is pending on a path's file system; False where the system has no such call."""
    if sys.platform != "linux":
        return False
    import ctypes

    try:
        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):  # another C library
        return False
    fd = os.open(path, os.O_RDONLY)
    try:
        if syncfs(fd) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
    finally:
        os.close(fd)
    return True
