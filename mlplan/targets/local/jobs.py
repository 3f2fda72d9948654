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
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from mlplan.machine import files
from mlplan.targets.local.job_folder import cancel, is_started, key_of, restore_log, result_of, settle, supervisor_of
from mlplan.world import ObservedJob

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic
    from mlplan.targets.protocols import Collected, JobSpec, Progress

_POLL_S = 0.02
_DAY_S = 86400.0


class LocalJobs:
    """The jobs below one folder."""

    def __init__(self, runs: str) -> None:
        self._runs = runs

    def check(self, spec: JobSpec) -> Sequence[Diagnostic]:
        """Limits without effect, a program or a builder of environments that isn't there."""
        from mlplan.targets.local.launch import missing_for

        return list(missing_for(spec))

    def submit(self, spec: JobSpec, progress: Progress) -> None:
        """Starts the job in a folder of its own, unless its key is known.

        Raises: Refusal where its environment can't be built or its program can't be started.
        """
        from mlplan.errors import Refusal
        from mlplan.targets.local.launch import cannot_start, start

        try:
            os.makedirs(self._runs, exist_ok=True)
        except OSError as error:
            raise Refusal([cannot_start(spec.name, f"the folder {self._runs} can't be made: {error}")]) from error
        with self._locked(spec.key, f"run {spec.name}") as lock:
            folder = self._find(spec.key)
            if folder is not None:
                if is_started(folder):
                    return
                files.remove_folder(folder)  # made by a process that died before it could start anything
            start(spec, self._runs, lock, progress)
        progress("Running", "")

    def observe(self, key: str) -> ObservedJob:
        """Preparing while a process submits it, then what its supervisor wrote, or that there is none any more."""
        folder = self._find(key)
        if folder is None or not is_started(folder):
            return ObservedJob("Preparing" if files.is_locked(self._key_path(key)) else "Absent")
        if (result := result_of(folder)) is not None:
            return result
        running = files.read_json(os.path.join(folder, "running.json")) or {}
        started = str(running.get("started", ""))
        if supervisor_of(folder) is not None:
            return ObservedJob("Running", started=started)
        # It can have ended in between; else it was killed, or the machine stopped.
        return result_of(folder) or ObservedJob("Ended", None, started=started)

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
        from mlplan.codes import target as codes
        from mlplan.errors import Refusal
        from mlplan.targets.protocols import Collected

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
        if result_of(folder) is None:  # its supervisor was killed: what still runs could go on writing
            with self._locked(key):
                settle(folder, grace_s=0)
        outputs, logs = os.path.join(folder, "work", "outputs"), os.path.join(folder, "work", "logs")
        with contextlib.suppress(FileExistsError):  # no folder: who keeps it says so
            os.makedirs(outputs, exist_ok=True)
        restore_log(folder, logs)
        return Collected(outputs, logs)

    def cancel(self, key: str, *, grace_s: float) -> None:
        """Ends the job through its supervisor, or by its own hand where that is gone or doesn't answer."""
        if self._find(key) is None and not files.is_locked(self._key_path(key)):
            return
        with self._locked(key):
            folder = self._find(key)
            if folder is not None and is_started(folder):
                cancel(folder, grace_s)

    def remove(self, key: str) -> None:
        """Removes the job's folder, after ending what may be left of it."""
        if self._find(key) is None:
            return
        with self._locked(key):
            folder = self._find(key)
            if folder is not None:
                if is_started(folder):
                    cancel(folder, 0)
                files.remove_folder(folder)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._key_path(key))
        files.sweep(self._runs, asides_older_than_s=_DAY_S)  # a younger one can be a job's that is being submitted

    def keys(self) -> Sequence[str]:
        """The keys of the jobs that have a folder."""
        return [key for folder in self._folders() if (key := key_of(folder))]

    @contextlib.contextmanager
    def _locked(self, key: str, what: str = "a run") -> Iterator[int]:
        from mlplan.machine.locks import exclusive

        os.makedirs(os.path.join(self._runs, ".keys"), exist_ok=True)
        with exclusive(self._key_path(key), what) as lock:
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
            if key_of(folder) == key:
                return folder
        return next((folder for folder in self._folders() if key_of(folder) == key), None)


def follow_lines(path: str, goes_on: Callable[[], bool]) -> Iterator[str]:
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
