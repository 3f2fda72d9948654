"""Who a process is, and how to end a whole tree of them so that none is left.

A pid alone names nobody: it is given out again, and after a reboot it means another process. Here a process is its
pid, its start time and the boot it lives in. Standard library alone on Linux, because the supervisor of a job runs
with nothing else; elsewhere psutil tells the same facts. Jobs: `supervise.py`, services: `services.py`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

_LINUX = sys.platform.startswith("linux")
_PAUSE_S = 0.01


class Identity(NamedTuple):
    """One process, told apart from any other that had or will have its pid."""

    pid: int
    start: str  # ticks since boot on Linux, seconds since the epoch elsewhere
    boot: str


class Process(NamedTuple):
    """A line of the process table."""

    pid: int
    parent: int
    session: int
    start: str


def boot_id() -> str:
    """Names this boot of the machine."""
    if _LINUX:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
            return stream.read().strip()
    import psutil

    return str(int(psutil.boot_time()))


def identify(pid: int) -> Identity | None:
    """Who has this pid now; None where nobody has, or only a zombie."""
    process = _look_up(pid)
    return Identity(pid, process.start, boot_id()) if process else None


def is_alive(identity: Identity) -> bool:
    """Whether that very process still runs."""
    return identify(identity.pid) == identity


def read_identity(value: object) -> Identity | None:
    """The identity that `Identity._asdict` wrote as JSON, or None where `value` is none."""
    if not isinstance(value, dict):
        return None
    match value:
        case {"pid": int(pid), "start": str(start), "boot": str(boot)}:
            return Identity(pid, start, boot)
    return None


def table() -> list[Process]:
    """All processes, zombies left out."""
    return [process for pid in _pids() if (process := _look_up(pid))]


def descendants(pid: int, processes: Iterable[Process]) -> set[int]:
    """The children of `pid`, their children and so on."""
    children: dict[int, list[int]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found


def marked(variable: str, value: str) -> set[int]:
    """The processes that were started with `variable` set to `value` in their environment."""
    return {pid for pid in _pids() if _variable(pid, variable) == value}


def marked_below(variable: str, folder: str) -> set[int]:
    """The processes that were started with `variable` set to a path below `folder`."""
    below = os.path.join(folder, "")
    return {pid for pid in _pids() if _variable(pid, variable).startswith(below)}


def belonging(leader: Identity | None, variable: str, value: str) -> set[int]:
    """All that is left of what was started as `leader`, itself included: its session, its descendants, and those
    that carry the mark. The caller's own process is never among them."""
    found = marked(variable, value)
    if leader is not None and leader.boot == boot_id():
        processes = table()
        # Only while it lives: once it is gone, its number can be another session's.
        if any(p.pid == leader.pid and p.start == leader.start for p in processes):
            found |= {p.pid for p in processes if p.session == leader.pid} | descendants(leader.pid, processes)
    return found - {os.getpid()}


def end(find: Callable[[], Collection[int]], grace_s: float) -> bool:
    """Ends all processes that `find` names: asked first, forced after `grace_s`. Whether there were any.

    `find` is called again and again, since what is being ended can still start something; what it once named is
    followed to its end, also when the parent that made it findable goes first. Returns when none is left. A process
    in an uninterruptible wait can hold this up for as long as the kernel does.
    """
    seen: dict[int, str] = {}  # by pid: the start time
    asked: set[int] = set()
    deadline = time.monotonic() + grace_s
    while True:
        for pid in find():
            if pid not in seen and (process := _look_up(pid)):
                seen[pid] = process.start
        left = {pid for pid, start in seen.items() if (now := _look_up(pid)) and now.start == start}
        if not left:
            return bool(seen)
        if time.monotonic() >= deadline:
            send(left, signal.SIGKILL)
        else:
            send(left - asked, signal.SIGTERM)
            asked |= left
        time.sleep(_PAUSE_S)


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Signals each of them; one that is gone is fine. A stopped one is woken, so that it can act on it."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
            os.kill(pid, signal.SIGCONT)


def memory_of(pids: Iterable[int], limit: int) -> int:
    """The bytes of memory they hold together, pages that they share counted once where it decides about `limit`."""
    if not _LINUX:
        return sum(_psutil_memory(pid) for pid in pids)
    pids = list(pids)
    resident = sum(_resident(pid) for pid in pids)
    # The exact figure walks page tables; it is only needed where shared pages could make the difference.
    return resident if resident <= limit else sum(_proportional(pid) for pid in pids)


def _pids() -> list[int]:
    if _LINUX:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    import psutil

    return psutil.pids()


def _look_up(pid: int) -> Process | None:
    if not _LINUX:
        return _psutil_look_up(pid)
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            text = stream.read()
    except OSError:
        return None
    # The name in parentheses can hold anything, parentheses included; what follows the last one is plain.
    fields = text[text.rindex(b")") + 2 :].split()
    if fields[0] in (b"Z", b"X") and int(fields[17]) <= 1:  # with more, its other threads still hold what it opened
        return None
    return Process(pid, int(fields[1]), int(fields[3]), fields[19].decode())


def _variable(pid: int, name: str) -> str:
    """A variable of the environment that a process was started with; "" where it has none, or is gone."""
    if not _LINUX:
        return _psutil_variable(pid, name)
    begin = f"{name}=".encode()
    try:
        with open(f"/proc/{pid}/environ", "rb") as stream:
            lines = stream.read().split(b"\0")
    except OSError:
        return ""
    found = next((line for line in lines if line.startswith(begin)), b"")
    return os.fsdecode(found[len(begin) :]) if found and _look_up(pid) is not None else ""


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as stream:
            return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _proportional(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as stream:
            line = next(line for line in stream if line.startswith(b"Pss:"))
    except (OSError, StopIteration):
        return _resident(pid)
    return int(line.split()[1]) * 1024


def _psutil_look_up(pid: int) -> Process | None:
    import psutil

    try:
        process: Any = psutil.Process(pid)
        with process.oneshot():
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return Process(pid, process.ppid(), os.getsid(pid), repr(process.create_time()))
    except (psutil.Error, OSError):
        return None


def _psutil_variable(pid: int, name: str) -> str:
    import psutil

    try:
        environment: Mapping[str, str] = psutil.Process(pid).environ()
    except (psutil.Error, OSError):
        return ""
    return environment.get(name, "")


def _psutil_memory(pid: int) -> int:
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except (psutil.Error, OSError):
        return 0
