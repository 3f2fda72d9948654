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
_POLL_S = 0.02
_FROZEN_S = 1.0  # a holder that is seen stopped after so long a wait counts as frozen


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


class StillHeld(Exception):
    """A lock that its holder doesn't let go of."""

    def __init__(self, path: str, pid: int, stopped: bool) -> None:
        self.path = path
        self.pid = pid  # of the holder; 0 where the system doesn't tell
        self.stopped = stopped  # frozen, as by Ctrl-Z: it will not let go by itself
        super().__init__(f"{path} is held by process {pid}")


@contextlib.contextmanager
def locked(path: str, *, patience_s: float = math.inf) -> Iterator[int]:
    """Holds the lock at `path` and yields its descriptor; waits up to `patience_s` for whoever holds it.

    A process that inherits the descriptor keeps the lock held until it closes its own copy. The kernel frees the lock
    of a process that dies. Raises: StillHeld for a holder that is frozen, or that takes longer than one has patience.
    """
    began = time.monotonic()
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _wait_for(handle, path, began, patience_s)
            if _is_at(handle, path):  # else it was removed while we waited, and means nothing any more
                yield handle
                return
        finally:
            os.close(handle)  # closing alone: unlocking would take it from a process that inherited it


def _wait_for(handle: int, path: str, began: float, patience_s: float) -> None:
    """Takes the lock. It is asked for again and again, so that a holder that is frozen holds nobody up for ever."""
    import fcntl

    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        waited = time.monotonic() - began
        if waited > min(_FROZEN_S, patience_s):
            pid = _holder(handle)
            stopped = bool(pid) and _is_stopped(pid)
            if stopped or waited > patience_s:
                raise StillHeld(path, pid, stopped)
        time.sleep(_POLL_S)


def _holder(handle: int) -> int:
    """The process that holds the lock on an open file; 0 where the system doesn't tell."""
    status = os.fstat(handle)
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with contextlib.suppress(OSError), open("/proc/locks", encoding="ascii") as stream:
        for line in stream:
            fields = line.split()
            if fields[1] == "FLOCK" and fields[5] == place:
                return int(fields[4])
    return 0


def _is_stopped(pid: int) -> bool:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as stream:
        return stream.read().rpartition(b")")[2].split()[0] in (b"T", b"t")
    return False


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
