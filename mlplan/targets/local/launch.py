"""From a job's spec to its running supervisor: what is missing, the folder, the variables, the start."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mlplan.codes import target as codes
from mlplan.errors import Refusal
from mlplan.machine import files
from mlplan.machine.variables import kept_variables, thread_limits
from mlplan.targets.local.environments import find_uv, interpreter, is_built, missing_uv, unsupported_system
from mlplan.targets.local.job_folder import MARK, mark_of
from mlplan.targets.registry import fields_without_effect
from mlplan.tracking.job import tracking_variables

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic
    from mlplan.targets.protocols import JobSpec, Progress

RESULT_BYTES = 4096
"""More than how a job ended takes to write down."""


def missing_for(spec: JobSpec) -> Iterator[Diagnostic]:
    """Limits without effect, a program or a builder of environments that isn't there."""
    yield from fields_without_effect("local", spec.resources)
    if sys.platform == "win32":
        yield unsupported_system()
    if not is_built(spec.environment) and find_uv() is None:
        yield missing_uv()
    if spec.environment is None and not _finds_program(spec):
        yield codes.MLP8003.diagnostic(
            f"The command of run {spec.name} begins with `{spec.argv[0]}`, which is not on the PATH.",
            hint="Install it, write its whole path, or begin the command with `python`.",
        )


def start(spec: JobSpec, runs: str, lock: int, progress: Progress) -> None:
    """Builds the job's environment and starts it in a folder of its own. `lock` is that on its key, and is handed on.

    Raises: Refusal (MLP81xx, MLP8004) where it can't be started; then nothing is left of it.
    """
    python = interpreter(spec.environment, progress)
    progress("Preparing", "copying the code")
    folder = _lay_out(spec, runs, lock)
    try:
        _supervise(spec.name, folder, lock, _launch(spec, python, folder))
    except Refusal:
        files.remove_folder(folder)
        raise
    except OSError as error:
        files.remove_folder(folder)
        raise Refusal([cannot_start(spec.name, f"its supervisor can't be started: {error}")]) from error


def cannot_start(run: str, reason: str) -> Diagnostic:
    """What is said where the system doesn't let a job begin."""
    return codes.MLP8004.diagnostic(
        f"Run {run} was not started: {reason}.",
        hint="Nothing of it was executed. Mend this and run\n    mlplan apply",
    )


def _lay_out(spec: JobSpec, runs: str, lock: int) -> str:
    """Makes the job's folder aside and moves it into place; its name goes into the index."""
    name = spec.id
    while os.path.exists(os.path.join(runs, name)):  # of another key
        name += "~"
    folder = os.path.join(runs, name)
    aside = files.aside(folder)
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
        with open(os.path.join(aside, "result.room"), "wb") as room:
            room.write(b" " * RESULT_BYTES)
        files.write_json(os.path.join(aside, "job.json"), _job_record(spec), durable=True)
        os.ftruncate(lock, 0)
        os.pwrite(lock, name.encode(), 0)
        os.rename(aside, folder)
    except OSError as error:
        files.remove_folder(aside)
        raise Refusal([cannot_start(spec.name, f"its folder {folder} can't be made: {error}")]) from error
    files.sync_folder(runs)
    return folder


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
    """What the supervisor is told: the whole command line and environment of the script, and what to mask in what
    it prints."""
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
        MARK: mark_of(folder),
    }
    if spec.environment is not None:
        env["VIRTUAL_ENV"] = os.path.dirname(first)
    program = python if spec.argv[0] == "python" else _placed(spec, spec.argv[0])
    argv = [program, *(_placed(spec, word) for word in spec.argv[1:])]
    return {"argv": argv, "env": env, "secrets": list(spec.secrets)}


def _placed(spec: JobSpec, text: str) -> str:
    for mount in spec.mounts:
        text = text.replace(mount.placeholder, mount.source)
    return text


def _supervise(run: str, folder: str, lock: int, launch: dict[str, Any]) -> None:
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
        raise Refusal([cannot_start(run, str(answer["error"]))])


def _finds_program(spec: JobSpec) -> bool:
    import shutil

    program = spec.argv[0]
    if program == "python" or (os.sep in program and not os.path.isabs(program)):  # relative to the job's code
        return True
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)))
    return shutil.which(program, path=path) is not None
