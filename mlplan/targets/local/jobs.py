"""Jobs as processes of this machine.

    <runs>/<id>/             one job; its files: `supervise.py`
    <runs>/.<id>.new/        a job's folder while it is made
    <runs>/.keys/<digest>    by key: the name of its folder, and the lock that is held while one starts or ends it

A job counts as known once its folder is in place, and as started once its supervisor has said who it is. The lock
goes from the process that submits to the supervisor: whoever holds it sees a job that was started or never will be.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mlplan.codes import target as codes
from mlplan.errors import Refusal
from mlplan.targets.local import files, processes
from mlplan.targets.local.environments import find_uv, interpreter, is_built, missing_uv, unsupported_system
from mlplan.targets.local.variables import kept_variables, thread_limits
from mlplan.targets.protocols import Collected, JobSpec, Progress
from mlplan.targets.registry import fields_without_effect
from mlplan.tracking.job import tracking_variables
from mlplan.world import ObservedJob

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic

MARK = "MLPLAN_JOB"
"""The variable by which a job's processes are known. Its value begins with the job's key; the rest is random, since
another clone of the same project on this machine can have a job with the same key."""
_POLL_S = 0.02
_PATIENCE_S = 2.0  # what a supervisor may need beyond the grace to end a job and say so


class LocalJobs:
    """The jobs below one folder."""

    def __init__(self, runs: str) -> None:
        self._runs = runs

    def check(self, spec: JobSpec) -> Sequence[Diagnostic]:
        """Limits without effect, a program or a builder of environments that isn't there."""
        found = list(fields_without_effect("local", spec.resources))
        if sys.platform == "win32":
            found.append(unsupported_system())
        if not is_built(spec.environment) and find_uv() is None:
            found.append(missing_uv())
        if spec.environment is None and not _finds_program(spec):
            found.append(
                codes.MLP8003.diagnostic(
                    f"The command of run {spec.name} begins with `{spec.argv[0]}`, which is not on the PATH.",
                    hint="Install it, write its whole path, or begin the command with `python`.",
                )
            )
        return found

    def submit(self, spec: JobSpec, progress: Progress) -> None:
        """Starts the job in a folder of its own, unless its key is known.

        Raises: Refusal where its environment can't be built or its program can't be started.
        """
        try:
            os.makedirs(os.path.join(self._runs, ".keys"), exist_ok=True)
        except OSError as error:
            raise Refusal([_cannot_start(spec.name, f"the folder {self._runs} can't be made: {error}")]) from error
        with self._locked(spec.key) as lock:
            folder = self._find(spec.key)
            if folder is not None:
                if _is_started(folder):
                    return
                files.remove_folder(folder)  # made by a process that died before it could start anything
            python = interpreter(spec.environment, progress)
            progress("Preparing", "copying the code")
            folder = self._lay_out(spec, lock)
            try:
                _start(folder, lock, _launch(spec, python, folder))
            except Refusal:
                files.remove_folder(folder)
                raise
        progress("Running", "")

    def observe(self, key: str) -> ObservedJob:
        """Preparing while a process submits it, then what its supervisor wrote, or that there is none any more."""
        folder = self._find(key)
        if folder is None or not _is_started(folder):
            return ObservedJob("Preparing" if files.is_locked(self._key_path(key)) else "Absent")
        if (result := _result(folder)) is not None:
            return result
        running = files.read_json(os.path.join(folder, "running.json")) or {}
        started = str(running.get("started", ""))
        if _supervisor(folder) is not None:
            return ObservedJob("Running", started=started)
        # It can have ended in between; else it was killed, or the machine stopped.
        return _result(folder) or ObservedJob("Ended", None, started=started)

    def logs(self, key: str, *, follow: bool) -> Iterator[str]:
        """Its output, line by line; with `follow` as it is written, until the job has ended."""
        folder = self._find(key)
        while folder is None and follow and self.observe(key).state == "Preparing":
            time.sleep(_POLL_S)
            folder = self._find(key)
        if folder is not None:
            path = os.path.join(folder, "std_log.txt")
            yield from follow_lines(path, lambda: follow and self.observe(key).state in ("Preparing", "Running"))

    def collect(self, key: str) -> Collected:
        """The folders `outputs` and `logs` below the script's working folder.

        Raises: Refusal (MLP8005) for a job that isn't known or hasn't ended.
        """
        folder = self._find(key)
        if folder is None or self.observe(key).state != "Ended":
            raise Refusal(
                [
                    codes.MLP8005.diagnostic(
                        f"No ended job with the key {key} is in {self._runs}.",
                        hint="Execute the run again:\n    mlplan apply",
                    )
                ]
            )
        if _result(folder) is None:  # its supervisor was killed: what still runs could go on writing
            with self._locked(key):
                _settle(folder, grace_s=0)
        outputs, logs = os.path.join(folder, "work", "outputs"), os.path.join(folder, "work", "logs")
        os.makedirs(outputs, exist_ok=True)
        _restore_log(folder, logs)
        return Collected(outputs, logs)

    def cancel(self, key: str, *, grace_s: float) -> None:
        """Ends the job through its supervisor, or by its own hand where that is gone or doesn't answer."""
        if self._find(key) is None and not files.is_locked(self._key_path(key)):
            return
        with self._locked(key):
            folder = self._find(key)
            if folder is not None and _is_started(folder):
                _cancel(folder, grace_s)

    def remove(self, key: str) -> None:
        """Removes the job's folder, after ending what may be left of it."""
        if self._find(key) is None:
            return
        with self._locked(key):
            folder = self._find(key)
            if folder is not None:
                if _is_started(folder):
                    _cancel(folder, 0)
                files.remove_folder(folder)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._key_path(key))

    def keys(self) -> Sequence[str]:
        """The keys of the jobs that have a folder."""
        return [key for folder in self._folders() if (key := _key_of(folder))]

    @contextlib.contextmanager
    def _locked(self, key: str) -> Iterator[int]:
        os.makedirs(os.path.join(self._runs, ".keys"), exist_ok=True)
        with files.locked(self._key_path(key)) as lock:
            yield lock

    def _key_path(self, key: str) -> str:
        return os.path.join(self._runs, ".keys", hashlib.sha256(key.encode()).hexdigest()[:32])

    def _folders(self) -> Iterator[str]:
        with contextlib.suppress(FileNotFoundError):
            for name in sorted(os.listdir(self._runs)):
                if not name.startswith("."):
                    yield os.path.join(self._runs, name)

    def _find(self, key: str) -> str | None:
        """The job's folder: by the index, or, where that was lost, by looking into each."""
        with contextlib.suppress(OSError), open(self._key_path(key), encoding="utf-8") as stream:
            folder = os.path.join(self._runs, stream.read().strip() or ".")
            if _key_of(folder) == key:
                return folder
        return next((folder for folder in self._folders() if _key_of(folder) == key), None)

    def _lay_out(self, spec: JobSpec, lock: int) -> str:
        """Makes the job's folder aside and moves it into place."""
        name = spec.id
        while os.path.exists(os.path.join(self._runs, name)):  # of another key
            name += "~"
        aside, folder = os.path.join(self._runs, f".{name}.new"), os.path.join(self._runs, name)
        files.remove_folder(aside)
        try:
            work = os.path.join(aside, "work")
            # What the user's own runs left in the source is no output of this one.
            files.copy_folder(spec.code, work, leave_out=("outputs", "logs"))
            os.makedirs(os.path.join(work, "outputs"))
            os.makedirs(os.path.join(work, "logs"))
            log = os.path.join(aside, "std_log.txt")
            open(log, "wb").close()
            os.link(log, os.path.join(work, "logs", "std_log.txt"))
            files.write_json(os.path.join(aside, "job.json"), _job_record(spec), durable=True)
            os.ftruncate(lock, 0)
            os.pwrite(lock, name.encode(), 0)
            os.rename(aside, folder)
        except OSError as error:
            files.remove_folder(aside)
            raise Refusal([_cannot_start(spec.name, f"its folder {folder} can't be made: {error}")]) from error
        files.sync_folder(self._runs)
        return folder


def follow_lines(path: str, goes_on: Any) -> Iterator[str]:
    """The lines of a text file, without line ends; waits for more as long as `goes_on()`."""
    pending = b""
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as stream:
        while True:
            more = goes_on()  # asked before reading: what was written until then is read in any case
            while block := stream.read(65536):
                *lines, pending = (pending + block).split(b"\n")
                for line in lines:
                    yield line.decode(errors="replace").rstrip("\r")
            if not more:
                break
            time.sleep(_POLL_S)
    if pending:
        yield pending.decode(errors="replace")


def _job_record(spec: JobSpec) -> dict[str, Any]:
    """What is written down of a job: no arguments and no variables, since they can hold secrets."""
    return {
        "format": 1,
        "key": spec.key,
        "mark": f"{spec.key}:{os.urandom(8).hex()}",
        "name": spec.name,
        "id": spec.id,
        "timeout_s": spec.timeout_s,
        "memory_bytes": spec.resources.memory_bytes,
        "labels": dict(spec.labels),
    }


def _launch(spec: JobSpec, python: str, folder: str) -> dict[str, Any]:
    """What the supervisor is told: the whole command line and the whole environment of the script."""
    kept = kept_variables(os.environ)
    tracking = tracking_variables(spec, os.path.join(folder, "work", "outputs"))
    asked = {name: _placed(spec, value) for name, value in spec.env.items()}
    first = os.path.dirname(python)
    env = {
        **kept,
        "PATH": os.pathsep.join(filter(None, (first, kept.get("PATH", os.defpath)))),
        "PYTHONUNBUFFERED": "1",
        **thread_limits(spec.resources.cpu),
        **tracking,
        **asked,
        "PYTHONPATH": os.pathsep.join(filter(None, (asked.get("PYTHONPATH"), tracking["PYTHONPATH"]))),
        MARK: _mark(folder),
    }
    if spec.environment is not None:
        env["VIRTUAL_ENV"] = os.path.dirname(first)
    program = python if spec.argv[0] == "python" else _placed(spec, spec.argv[0])
    return {"argv": [program, *(_placed(spec, word) for word in spec.argv[1:])], "env": env}


def _placed(spec: JobSpec, text: str) -> str:
    for mount in spec.mounts:
        text = text.replace(mount.placeholder, mount.source)
    return text


def _start(folder: str, lock: int, launch: dict[str, Any]) -> None:
    """Starts the supervisor and waits until it says that the script runs. Raises: Refusal where it can't."""
    import subprocess

    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "supervise.py")
    # Elsewhere than on Linux it needs psutil, hence site-packages.
    options = ["-I", "-S", "-B"] if sys.platform.startswith("linux") else ["-I", "-B"]
    with open(os.path.join(folder, "supervisor.log"), "wb") as log:
        done = subprocess.run(
            [sys.executable, *options, program, folder, str(lock)],
            input=json.dumps(launch).encode(),
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=folder,
            env=kept_variables(os.environ),
            pass_fds=(lock,),
            start_new_session=True,
            check=False,
        )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        with open(os.path.join(folder, "supervisor.log"), encoding="utf-8", errors="replace") as log_text:
            answer = {"error": f"its supervisor ended: {log_text.read()[-2000:].strip()}"}
    if "error" in answer:
        name = str((files.read_json(os.path.join(folder, "job.json")) or {}).get("name"))
        raise Refusal([_cannot_start(name, str(answer["error"]))])


def _cannot_start(name: str, reason: str) -> Diagnostic:
    return codes.MLP8004.diagnostic(
        f"Run {name} was not started: {reason}",
        hint="Nothing of it was executed. Mend this and run\n    mlplan apply",
    )


def _finds_program(spec: JobSpec) -> bool:
    import shutil

    program = spec.argv[0]
    if program == "python" or (os.sep in program and not os.path.isabs(program)):  # relative to the job's code
        return True
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)))
    return shutil.which(program, path=path) is not None


def _key_of(folder: str) -> str | None:
    job = files.read_json(os.path.join(folder, "job.json"))
    return str(job["key"]) if job and "key" in job else None


def _mark(folder: str) -> str:
    return str((files.read_json(os.path.join(folder, "job.json")) or {})["mark"])


def _is_started(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "supervisor.json"))


def _supervisor(folder: str) -> processes.Identity | None:
    """The job's supervisor, where it lives."""
    identity = processes.read_identity(files.read_json(os.path.join(folder, "supervisor.json")))
    return identity if identity is not None and processes.is_alive(identity) else None


def _result(folder: str) -> ObservedJob | None:
    result = files.read_json(os.path.join(folder, "result.json"))
    if result is None:
        return None
    return ObservedJob(
        "Ended",
        exit_code=result["exit_code"],
        timed_out=bool(result["timed_out"]),
        canceled=bool(result["canceled"]),
        out_of_memory=bool(result["out_of_memory"]),
        started=str(result["started"]),
        duration_s=float(result["duration_s"]),
        peak_memory_bytes=int(result["peak_memory_bytes"]),
    )


def _cancel(folder: str, grace_s: float) -> None:
    """Asks the supervisor to end the job, and ends what it doesn't."""
    import signal

    supervisor = _supervisor(folder)
    if supervisor is not None:
        files.write_json(os.path.join(folder, "cancel.json"), {"grace_s": grace_s}, durable=False)
        processes.send([supervisor.pid], signal.SIGTERM)
        _wait_until_gone(supervisor, grace_s + _PATIENCE_S)
    _settle(folder, grace_s, canceled=True)


def _settle(folder: str, grace_s: float, *, canceled: bool = False) -> None:
    """Ends what is left of a job and writes down how it ended, where its supervisor didn't."""
    import signal

    supervisor = _supervisor(folder)  # frozen, or it would have done all this
    running = files.read_json(os.path.join(folder, "running.json")) or {}
    script = processes.read_identity(running.get("script"))
    mark = _mark(folder)
    # A supervisor that lives on sees its script end and still says how.
    were_left = processes.end(lambda: processes.belonging(script, MARK, mark), 0 if supervisor else grace_s)
    if supervisor is not None and not _wait_until_gone(supervisor, _PATIENCE_S):
        processes.send([supervisor.pid], signal.SIGKILL)
        _wait_until_gone(supervisor, _PATIENCE_S)
    if _result(folder) is None:
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


def _wait_until_gone(identity: processes.Identity, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while processes.is_alive(identity):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _restore_log(folder: str, logs: str) -> None:
    """Puts the log back where a script removed or replaced its folder."""
    os.makedirs(logs, exist_ok=True)
    log = os.path.join(logs, "std_log.txt")
    with contextlib.suppress(FileExistsError):
        os.link(os.path.join(folder, "std_log.txt"), log)
