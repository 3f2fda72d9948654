"""The folder of one job: what it says of the job, and how the job is ended. Its files: `supervise.py`."""

from __future__ import annotations

import contextlib
import os
import time

from mlplan.machine import files, processes
from mlplan.world import ObservedJob

MARK = "MLPLAN_JOB"
"""The variable by which a job's processes are known. Its value begins with the job's key; the rest is random, since
another clone of the same project on this machine can have a job with the same key."""
_POLL_S = 0.02
_PATIENCE_S = 2.0  # what a supervisor may need beyond the grace to end a job and say so


def key_of(folder: str) -> str | None:
    job = files.read_json(os.path.join(folder, "job.json"))
    return str(job["key"]) if job and "key" in job else None


def mark_of(folder: str) -> str:
    return str((files.read_json(os.path.join(folder, "job.json")) or {})["mark"])


def is_started(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "supervisor.json"))


def supervisor_of(folder: str) -> processes.Identity | None:
    """The job's supervisor, where it lives."""
    identity = processes.read_identity(files.read_json(os.path.join(folder, "supervisor.json")))
    return identity if identity is not None and processes.is_alive(identity) else None


def result_of(folder: str) -> ObservedJob | None:
    result = files.read_json(os.path.join(folder, "result.json"))
    if result is None or result.get("format") != 1:
        return None
    return ObservedJob("Ended", *(result[name] for name in ObservedJob._fields[1:]))


def cancel(folder: str, grace_s: float) -> None:
    """Asks the supervisor to end the job, and ends what it doesn't."""
    import signal

    supervisor = supervisor_of(folder)
    if supervisor is not None:
        with contextlib.suppress(OSError):  # on a full disk it is ended all the same, with the usual grace
            files.write_json(os.path.join(folder, "cancel.json"), {"grace_s": grace_s}, durable=False)
        processes.send([supervisor.pid], signal.SIGTERM)
        _wait_until_gone(supervisor, grace_s + _PATIENCE_S)
    settle(folder, grace_s, canceled=True)


def settle(folder: str, grace_s: float, *, canceled: bool = False) -> None:
    """Ends what is left of a job and writes down how it ended, where its supervisor didn't."""
    import signal

    supervisor = supervisor_of(folder)  # frozen, or it would have done all this
    running = files.read_json(os.path.join(folder, "running.json")) or {}
    script = processes.read_identity(running.get("script"))
    mark = mark_of(folder)
    # A supervisor that lives on sees its script end and still says how.
    were_left = processes.end(lambda: processes.belonging(script, MARK, mark), 0 if supervisor else grace_s)
    if supervisor is not None and not _wait_until_gone(supervisor, _PATIENCE_S):
        processes.send([supervisor.pid], signal.SIGKILL)
        _wait_until_gone(supervisor, _PATIENCE_S)
    if result_of(folder) is None:
        result = {
            "format": 1,
            "exit_code": None,
            "timed_out": False,
            "canceled": canceled and (were_left or supervisor is not None),
            "out_of_memory": False,
            "started": str(running.get("started", "")),
            "duration_s": 0.0,
            "peak_memory_bytes": 0,
        }
        files.write_json(os.path.join(folder, "result.json"), result, durable=True)


def restore_log(folder: str, logs: str) -> None:
    """Puts the log back where a script removed its folder, or put something else in its place."""
    if os.path.islink(logs) or not os.path.isdir(logs):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(logs)
        os.makedirs(logs)
    log = os.path.join(logs, "std_log.txt")
    with contextlib.suppress(FileExistsError):
        os.link(os.path.join(folder, "std_log.txt"), log)


def _wait_until_gone(identity: processes.Identity, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while processes.is_alive(identity):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
