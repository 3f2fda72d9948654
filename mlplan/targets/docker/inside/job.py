"""The first process of a job's container: starts the script, ends it in time, and records how it ended.

The container goes on when the apply that started it dies, so what has to happen in time happens here. Files beside
this one, which `jobs.py` reads through the engine:

    answer.json   that the script runs, or why it can't
    cancel.json   a wish to end it, written by `jobs.py` before it sends SIGTERM
    result.json   how it ended

What the script prints goes to the container's log, through this process where there are secrets to mask in it.
Arguments and variables arrive on stdin and are written nowhere: they can hold secrets. A container that ended with
NOT_BEGUN never got them, or could not start the script.
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
from typing import TYPE_CHECKING, Any

HERE = os.path.dirname(os.path.abspath(__file__))
if TYPE_CHECKING:
    from mlplan.machine.masking import carry
else:
    sys.path.insert(0, HERE)
    from masking import carry

NOT_BEGUN = 121
"""The exit code of a container whose script was not started."""
PATIENCE_S = 60.0
"""How long to wait for the word on what to run."""
LONGEST_WAIT_S = 86400.0
"""After how long it looks at the clock again: the system refuses to wait for centuries (`timeout: 9999999h`)."""
TIMEOUT_GRACE_S = 10.0
"""How long a script may take to end once its time is up."""
LINGER_S = 2.0
"""How long to wait for output of what a script left running."""


def main() -> int:
    """Supervises one job; the container's exit code."""
    wake = watch_signals()
    # Somebody who starts this container by hand says nothing, and doesn't end saying it either.
    text = sys.stdin.read() if select.select([0], [], [], PATIENCE_S)[0] else ""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    if not text:
        return NOT_BEGUN  # who made this container died before it could say what to run
    launch = json.loads(text)
    os.makedirs("outputs", exist_ok=True)
    os.makedirs("logs", exist_ok=True)
    try:
        script = Script(launch, wake)
    except OSError as error:
        write("answer.json", {"error": f"{launch['argv'][0]}: {error.strerror or error}"})
        return NOT_BEGUN
    write("answer.json", {"pid": script.pid})
    result = supervise(script, launch["timeout_s"])
    script.finish_log()
    write("result.json", result)
    return 0


def supervise(script: Script, timeout_s: float | None) -> dict[str, Any]:
    """How the script ended, once it has."""
    began = time.monotonic()
    timed_out = canceled = False
    why = script.wait(timeout_s)
    if why == "time":
        timed_out = True
        script.end(TIMEOUT_GRACE_S)
    elif why == "asked":
        request = read("cancel.json")
        canceled = request is not None
        script.end(float((request or {}).get("grace_s", TIMEOUT_GRACE_S)))
    return {
        "exit_code": script.exit_code,
        "timed_out": timed_out,
        "canceled": canceled,
        "duration_s": round(time.monotonic() - began, 6),
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
    }


class Script:
    """The script's process. What it leaves behind is this process's to reap: there is no other in the container."""

    def __init__(self, launch: dict[str, Any], wake: int) -> None:
        self._carrier: threading.Thread | None = None
        output = self._masked(launch["secrets"]) if launch["secrets"] else None
        process = subprocess.Popen(
            launch["argv"],
            env={**os.environ, **launch["env"]},
            stdout=output,
            stderr=subprocess.STDOUT,  # one stream for both, so that lines stay in order
            start_new_session=True,
        )
        if output is not None:
            os.close(output)
        process.returncode = 0  # it is reaped below, together with what it leaves behind
        self.pid = process.pid
        self.exit_code: int | None = None
        self._wake = wake

    def wait(self, seconds: float | None, *, heed: bool = True) -> str:
        """Waits until it has `ended`, its `time` is up, or somebody `asked` for the end (and that is heeded)."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            self._reap()
            if self.exit_code is not None:
                return "ended"
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return "time"
            select.select([self._wake], [], [], None if left is None else min(left, LONGEST_WAIT_S))
            numbers = drain(self._wake)
            if heed and (signal.SIGTERM in numbers or signal.SIGINT in numbers):
                self._reap()
                return "asked" if self.exit_code is None else "ended"

    def end(self, grace_s: float) -> None:
        """Ends it and what it started: asked first, forced after `grace_s`."""
        self._send(signal.SIGTERM)
        if self.wait(grace_s, heed=False) == "time":
            self._send(signal.SIGKILL)
            self.wait(None, heed=False)

    def finish_log(self) -> None:
        """Waits a moment for the last of its output. What it left running ends with the container."""
        if self._carrier is not None:
            self._carrier.join(LINGER_S)

    def _masked(self, secrets: list[str]) -> int:
        """A pipe to the container's log that masks secrets."""
        printed, output = os.pipe()
        self._carrier = threading.Thread(target=carry, args=(printed, 1, secrets), daemon=True)
        self._carrier.start()
        return output

    def _send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.pid:
                    self.exit_code = os.waitstatus_to_exitcode(status)


def watch_signals() -> int:
    """A descriptor that turns readable at a signal and then holds the numbers of those that came."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return read_end


def drain(wake: int) -> bytes:
    """The numbers of the signals that came."""
    try:
        return os.read(wake, 4096)
    except BlockingIOError:
        return b""


def read(name: str) -> dict[str, Any] | None:
    """The JSON object in a file beside this one, or None."""
    try:
        with open(os.path.join(HERE, name), encoding="utf-8") as stream:
            value: dict[str, Any] = json.load(stream)
            return value
    except (OSError, ValueError):
        return None


def write(name: str, value: dict[str, Any]) -> None:
    """Writes such a file, whole or not at all."""
    path = os.path.join(HERE, name)
    with open(path + ".new", "w", encoding="utf-8") as stream:
        json.dump(value, stream)
    os.replace(path + ".new", path)


if __name__ == "__main__":
    sys.exit(main())
