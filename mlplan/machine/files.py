"""Writing and copying files so that a crash leaves the old or the new, and a lock that ends with its holder.

Standard library alone: the supervisor of a job uses it too.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import stat
import time
from collections.abc import Collection, Iterator
from typing import Any

_GONE = ".gone-"
_ASIDE = ".new"


def read_json(path: str) -> dict[str, Any] | None:
    """The JSON object in a file, or None where there is no such file or it holds none."""
    try:
        with open(path, encoding="utf-8") as stream:
            value = json.load(stream)
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: str, value: object, *, durable: bool, mode: int = 0o644) -> None:
    """Writes a file that is there whole or not at all; where it is durable, also after a power cut."""
    folder = os.path.dirname(path)
    aside = os.path.join(folder, f".new-{os.getpid()}-{os.path.basename(path)}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as stream:
            json.dump(value, stream, indent=1)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        os.replace(aside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        raise
    if durable:
        sync_folder(folder)


def sync_folder(folder: str) -> None:
    """Makes the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def copy_folder(source: str, target: str, *, leave_out: Collection[str] = ()) -> None:
    """Copies a folder's files as new, writable files; links are followed. `leave_out` names entries at its top."""
    os.makedirs(target, exist_ok=True)
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.name in leave_out:
                continue
            to = os.path.join(target, entry.name)
            if entry.is_dir():
                copy_folder(entry.path, to)
            else:
                copy_file(entry.path, to)


def copy_file(source: str, target: str) -> None:
    """Copies a file as a new, writable one; executable where the source is."""
    import shutil

    shutil.copyfile(source, target)
    if os.stat(source).st_mode & stat.S_IXUSR:
        os.chmod(target, 0o755)


def remove_folder(folder: str) -> None:
    """Removes a folder and all in it, what was made read-only included. Fine where it is gone."""
    parent, name = os.path.split(folder)
    if os.path.isdir(folder):
        # Under another name first, so that nobody ever takes the half of it for the whole.
        sweep(parent)
        os.rename(folder, os.path.join(parent, f"{_GONE}{name}"))
        sweep(parent)


def aside(folder: str) -> str:
    """The name under which a folder is made before it is moved into place."""
    parent, name = os.path.split(folder)
    return os.path.join(parent, f".{name}{_ASIDE}")


def sweep(parent: str, *, asides_older_than_s: float = math.inf) -> None:
    """Removes what removals that were cut short left in `parent`, and folders that were never moved into place."""
    import shutil

    for name in os.listdir(parent):
        if name.startswith(_GONE) or (
            name.endswith(_ASIDE) and _age_s(os.path.join(parent, name)) >= asides_older_than_s
        ):
            gone = os.path.join(parent, name)
            for folder, _, _ in os.walk(gone):
                with contextlib.suppress(OSError):
                    os.chmod(folder, 0o700)
            shutil.rmtree(gone, ignore_errors=True)


@contextlib.contextmanager
def locked(path: str) -> Iterator[int]:
    """Holds the lock at `path` and yields its descriptor; waits for whoever holds it.

    A process that inherits the descriptor keeps the lock held until it closes its own copy. The kernel frees the lock
    of a process that dies.
    """
    import fcntl

    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _is_at(handle, path):  # else it was removed while we waited, and means nothing any more
                yield handle
                return
        finally:
            os.close(handle)  # closing alone: unlocking would take it from a process that inherited it


def is_locked(path: str) -> bool:
    """Whether somebody holds the lock at `path`."""
    import fcntl

    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _age_s(path: str) -> float:
    try:
        return max(0.0, time.time() - os.stat(path).st_mtime)
    except OSError:
        return 0.0


def _is_at(handle: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False
