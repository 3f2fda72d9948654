"""The supervisor of one job: starts the script, ends it in time, and records how it ended.

Started by `jobs.py` as `python -I -S -B supervise.py FOLDER LOCK`: standard library alone, in a session of its own,
so that it goes on when the apply that started it dies. It imports what it needs at its start, so a change of the
installed mlplan doesn't reach it. Files in the job's folder:

    job.json          what it is: key, id, limits; written by `jobs.py` before the start, without any of its variables
    supervisor.json   who supervises it: from here on the job counts as started
    running.json      who the script's process is, and since when
    cancel.json       a wish to end it, written by `jobs.py`
    result.json       how it ended, written when no process of it is left
    result.room       room for that on the disk, set aside by `jobs.py`, should there be none left by then
    std_log.txt       its output, the same file as work/logs/std_log.txt; where it has secrets, they are masked in it
    work/             the script's working folder

Arguments and variables arrive on stdin and are written nowhere: they can hold secrets.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

if TYPE_CHECKING:
    from mlplan.machine import files, masking, processes
else:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.append(os.path.join(os.path.dirname(os.path.dirname(here)), "machine"))
    import files
    import masking
    import processes

_LINUX = sys.platform.startswith("linux")
TIMEOUT_GRACE_S = 10.0
"""How long a script may take to end once its time is up."""
LINGER_S = 2.0
"""How long what a script left running may take to end."""
_MEMORY_INTERVAL_S = 0.1
_LONGEST_WAIT_S = 86400.0  # the system refuses to wait for centuries, as `timeout: 9999999h` asks for
_FULL_DISK_TRIES = 60  # a second apart: hours of work are worth a little patience


class Launch(NamedTuple):
    """What comes on stdin."""

    argv: list[str]
    env: dict[str, str]
    secrets: list[str]


def main(folder: str, lock: int) -> NoReturn:
    """Goes to the background, supervises, exits. On stdout: one line of JSON once the script runs or can't."""
    message = json.load(sys.stdin)
    if os.fork():
        os._exit(0)  # the one who started us reaps this process; the supervisor has no parent that it could miss
    os.setsid()
    supervisor = Supervisor(folder, lock)
    supervisor.supervise(Launch(message["argv"], message["env"], message["secrets"]))
    os._exit(0)


class Supervisor:
    """The life of one job."""

    def __init__(self, folder: str, lock: int) -> None:
        self._folder = folder
        self._lock = lock
        job = files.read_json(self._path("job.json")) or {}
        self._timeout_s: float | None = job.get("timeout_s")
        self._memory_bytes: int | None = job.get("memory_bytes")
        self._mark = str(job.get("mark"))
        self._script = 0
        self._status: int | None = None  # of the script, once it has ended
        self._ended = 0.0
        self._peak = 0
        self._carrier: threading.Thread | None = None
        self._timed_out = self._out_of_memory = self._canceled = self._stopped = False

    def supervise(self, launch: Launch) -> None:
        """Starts the script and stays with it until nothing of it is left."""
        wake = _watch_signals()
        _adopt_orphans()
        kills = _kernel_kills()
        identity = processes.identify(os.getpid())
        self._write("supervisor.json", identity._asdict() if identity else {})
        started, began = datetime.now(timezone.utc).isoformat(timespec="milliseconds"), time.monotonic()
        try:
            self._start(launch, started)
        except OSError as error:
            processes.end(self._processes, 0)
            self._record(started, 0.0, 127)  # first, since the folder is removed by the one who hears of it
            self._say({"error": f"{launch.argv[0]}: {error.strerror or error}"})
            return
        self._say({"pid": self._script})
        self._watch(wake, began)
        processes.end(self._processes, LINGER_S)
        if self._carrier is not None:
            self._carrier.join(LINGER_S)
        exit_code = None if self._status is None else os.waitstatus_to_exitcode(self._status)
        if exit_code == -signal.SIGKILL and not (self._stopped or self._timed_out) and _kernel_kills() > kills:
            self._out_of_memory = True
        self._record(started, (self._ended or time.monotonic()) - began, exit_code)

    def _start(self, launch: Launch, started: str) -> None:
        log = self._open_log(launch.secrets)
        process = subprocess.Popen(
            launch.argv,
            cwd=self._path("work"),
            env=launch.env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        os.close(log)
        self._script = process.pid
        process.returncode = 0  # it is reaped here, together with what it leaves behind: see _reap
        script = processes.identify(self._script)
        self._write("running.json", {"started": started, "script": script._asdict() if script else None})

    def _open_log(self, secrets: list[str]) -> int:
        """Where the script prints to: the log itself, or a pipe to it that masks secrets.

        The pipe costs no log and no job: one whose supervisor is killed counts as ended, with or without it.
        """
        log = os.open(self._path("std_log.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        if not secrets:
            return log
        printed, output = os.pipe()
        self._carrier = threading.Thread(target=masking.carry, args=(printed, log, secrets), daemon=True)
        self._carrier.start()
        return output

    def _watch(self, wake: int, began: float) -> None:
        """Returns when the script has ended, or was ended."""
        while self._status is None:
            left = None if self._timeout_s is None else began + self._timeout_s - time.monotonic()
            if left is not None and left <= 0:
                self._timed_out = True
                processes.end(self._processes, TIMEOUT_GRACE_S)
                return
            tick = _MEMORY_INTERVAL_S if self._memory_bytes else None
            select.select([wake], [], [], min(t for t in (left, tick, _LONGEST_WAIT_S) if t is not None))
            numbers = _drain(wake)
            self._reap()
            if signal.SIGTERM in numbers or signal.SIGINT in numbers:
                self._stopped = True
                request = files.read_json(self._path("cancel.json"))
                self._canceled = request is not None and self._status is None
                processes.end(self._processes, float((request or {}).get("grace_s", TIMEOUT_GRACE_S)))
                return
            if self._memory_bytes and self._status is None:
                self._check_memory(self._memory_bytes)

    def _check_memory(self, limit: int) -> None:
        """Ends a job that holds more than it may, all its processes together.

        A watch and no RLIMIT_DATA: that one counts what is reserved, not what is used (thread stacks and the buffers
        of linear algebra libraries, gigabytes on a machine with many cores), counts each process alone, and shows as
        some MemoryError or crash in the middle of a library instead of naming the limit.
        """
        used = processes.memory_of(self._processes(), limit)
        self._peak = max(self._peak, used)
        if used > limit:
            self._stopped = self._out_of_memory = True
            processes.end(self._processes, 0)

    def _processes(self) -> set[int]:
        """What runs of this job now. All of it descends from here: orphans are adopted, wherever they hide."""
        self._reap()
        found = processes.descendants(os.getpid(), processes.table())
        if not _LINUX and self._script:  # no adoption there
            found |= processes.belonging(processes.identify(self._script), "MLPLAN_JOB", self._mark)
        return found

    def _reap(self) -> None:
        """Takes leave of children that have ended, adopted ones included."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._script:
                self._status, self._ended = status, time.monotonic()

    def _record(self, started: str, duration_s: float, exit_code: int | None) -> None:
        unit = 1024 if _LINUX else 1
        peak = max(self._peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit)
        result = {
            "format": 1,
            "exit_code": exit_code,
            "timed_out": self._timed_out,
            "canceled": self._canceled,
            "out_of_memory": self._out_of_memory,
            "started": started,
            "duration_s": round(duration_s, 6),
            "peak_memory_bytes": peak,
        }
        for _ in range(_FULL_DISK_TRIES):
            if self._keep(result):
                return
            time.sleep(1)

    def _keep(self, result: dict[str, Any]) -> bool:
        """Writes the result; where that fails, on a full disk more often than not, into the room set aside for it."""
        try:
            files.write_json(self._path("result.json"), result, durable=True)
        except OSError as error:
            if not os.path.isdir(self._folder):
                return True  # the job was removed: nobody asks for its result
            with contextlib.suppress(OSError):
                self._use_room(json.dumps(result).encode())
                return True
            with contextlib.suppress(OSError):  # what this says goes to the same disk
                print(f"the result can't be written: {error}", file=sys.stderr, flush=True)
            return False
        return True

    def _use_room(self, data: bytes) -> None:
        room = os.open(self._path("result.room"), os.O_WRONLY)
        try:
            os.pwrite(room, data, 0)
            os.ftruncate(room, len(data))
            os.fsync(room)
        finally:
            os.close(room)
        os.rename(self._path("result.room"), self._path("result.json"))

    def _say(self, answer: dict[str, Any]) -> None:
        """Answers the one who started us, and lets go of the lock on the job's key."""
        with contextlib.suppress(OSError):  # it may be gone
            os.write(1, json.dumps(answer).encode() + b"\n")
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 0)
        os.dup2(nowhere, 1)
        os.close(nowhere)
        os.close(self._lock)

    def _write(self, name: str, value: object) -> None:
        # After a power cut there is no process to be known by these.
        files.write_json(self._path(name), value, durable=False)

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)


def _watch_signals() -> int:
    """A descriptor that turns readable at a signal and then holds the numbers of those that came."""
    read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if _LINUX else _pipe()
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return read


def _pipe() -> tuple[int, int]:
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    return read, write


def _drain(wake: int) -> bytes:
    try:
        return os.read(wake, 4096)
    except BlockingIOError:
        return b""


def _adopt_orphans() -> None:
    """Makes this process the parent of descendants that lose theirs, so that none gets out of sight."""
    if _LINUX:
        import ctypes

        set_child_subreaper = 36
        ctypes.CDLL(None, use_errno=True).prctl(set_child_subreaper, 1, 0, 0, 0)


def _kernel_kills() -> int:
    """How often the kernel has ended a process for want of memory since it started."""
    try:
        with open("/proc/vmstat", encoding="ascii") as stream:
            return next((int(line.split()[1]) for line in stream if line.startswith("oom_kill ")), 0)
    except OSError:
        return 0


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
