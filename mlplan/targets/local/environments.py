"""Python environments on this machine: built once per lock digest by uv, shared by all projects of the user.

    <cache>/environments/<digest>/          the environment
    <cache>/environments/<digest>/ready     written last: without it, or where it doesn't match, all is built anew
    <cache>/environments/<digest>.lock      held while building

An environment can't be built aside and moved into place: its scripts hold its path. Hence the marker.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping, Sequence

from mlplan.codes import target as codes
from mlplan.diagnostics import Diagnostic
from mlplan.errors import Refusal
from mlplan.machine import files
from mlplan.machine.locks import exclusive
from mlplan.targets.protocols import Environment, Progress

_TAIL = 12


def cache_folder(environ: Mapping[str, str]) -> str:
    """The user's folder for what can be made again: MLPLAN_CACHE_DIR, else the system's place for caches."""
    if chosen := environ.get("MLPLAN_CACHE_DIR"):
        return os.path.abspath(chosen)
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches/mlplan")
    return os.path.join(environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "mlplan")


def interpreter(environment: Environment | None, progress: Progress) -> str:
    """The path of the environment's interpreter; the environment is built first where it isn't there or is damaged.

    Raises: Refusal (MLP8101 to MLP8103, MLP8105) where it can't be built; then the next call begins anew.
    """
    if environment is None:
        return sys.executable
    folder = _folder(environment)
    if not _is_ready(folder):
        try:
            os.makedirs(os.path.dirname(folder), exist_ok=True)
            if files.is_locked(folder + ".lock"):
                progress("Preparing", "environment: waiting for another process that builds it")
            what = f"an environment with Python {environment.python}"
            with exclusive(folder + ".lock", what, patience_s=math.inf) as lock:
                if not _is_ready(folder):  # else the one we waited for built it
                    _build(environment, folder, lock, progress)
        except OSError as error:
            raise Refusal([_cannot_write(folder, error)]) from error
    return os.path.join(folder, "bin", "python")


def is_built(environment: Environment | None) -> bool:
    """Whether `interpreter` has nothing to build."""
    return environment is None or _is_ready(_folder(environment))


def find_uv() -> str | None:
    """The path of uv: the one that came with mlplan, else one on the path."""
    import shutil

    try:
        from uv import find_uv_bin

        return find_uv_bin()
    except (ImportError, FileNotFoundError):
        return shutil.which("uv")


def _folder(environment: Environment) -> str:
    return os.path.join(cache_folder(os.environ), "environments", environment.digest[:32])


def _is_ready(folder: str) -> bool:
    """Whether it was built to the end and still has all its packages and its interpreter."""
    ready = files.read_json(os.path.join(folder, "ready"))
    python = os.path.join(folder, "bin", "python")
    return ready is not None and os.access(python, os.X_OK) and ready.get("packages") == _packages(folder)


def _packages(folder: str) -> list[str]:
    """What stands in its site-packages, by name."""
    found: list[str] = []
    lib = os.path.join(folder, "lib")
    try:
        for version in sorted(os.listdir(lib)):
            found += sorted(os.listdir(os.path.join(lib, version, "site-packages")))
    except OSError:
        return []
    return [name for name in found if name != "__pycache__"]


def _build(environment: Environment, folder: str, lock: int, progress: Progress) -> None:
    uv = find_uv()
    if uv is None:
        raise Refusal([missing_uv()])
    files.remove_folder(folder)
    progress("Preparing", f"environment: Python {environment.python}")
    code, output = _run(
        [uv, "venv", "--quiet", "--no-project", "--python", environment.python, folder], lock, progress
    )
    if code:
        raise Refusal([_no_interpreter(environment, output)])
    requirements = os.path.join(folder, "requirements.txt")
    with open(requirements, "w", encoding="utf-8") as stream:
        stream.write(environment.requirements)
    # Compiled now, once: services and jobs with a read-only view of it would compile at each start.
    options = ["--require-hashes", "--allow-empty-requirements", "--compile-bytecode"]
    python = os.path.join(folder, "bin", "python")
    code, output = _run([uv, "pip", "sync", "--python", python, *options, requirements], lock, progress)
    if code:
        files.remove_folder(folder)
        raise Refusal([_cannot_install(environment, output)])
    files.write_json(os.path.join(folder, "ready"), {"format": 1, "packages": _packages(folder)}, durable=True)


def _run(command: Sequence[str], lock: int, progress: Progress) -> tuple[int, list[str]]:
    """Runs uv, passes each of its lines on, and returns its exit code and the last of them.

    It inherits the lock: where this process is killed, the next one waits until that uv has ended as well.
    """
    import collections
    import subprocess

    # Not in the project's folder: its settings for uv would decide without being part of the lock.
    environ = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH")}
    tail: collections.deque[str] = collections.deque(maxlen=_TAIL)
    with subprocess.Popen(
        command,
        cwd=os.path.dirname(command[-1]),
        env={**environ, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=(lock,),
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip():
                tail.append(line.rstrip())
                progress("Preparing", f"environment: {line.strip()}")
    return process.returncode, list(tail)


def missing_uv() -> Diagnostic:
    """What is said where uv isn't installed."""
    return codes.MLP8101.diagnostic(
        "uv builds Python environments, and it is neither installed beside mlplan nor on the PATH.",
        hint=f"Install it beside mlplan:\n    {sys.executable} -m pip install uv",
    )


def unsupported_system() -> Diagnostic:
    """What is said on Windows."""
    return codes.MLP8104.diagnostic(
        "The target `local` needs Linux or macOS.",
        hint="Run mlplan in a Linux container or in the Windows Subsystem for Linux.",
    )


def _no_interpreter(environment: Environment, output: Sequence[str]) -> Diagnostic:
    return codes.MLP8102.diagnostic(
        f"No Python {environment.python} is on this machine, or no environment can be made with it. uv says:\n"
        + _indented(output),
        hint=f"Install it:\n    uv python install {environment.python}\n"
        "or ask for a version that is here, with `python` in the environment. `uv python list` shows them.",
    )


def _cannot_install(environment: Environment, output: Sequence[str]) -> Diagnostic:
    return codes.MLP8103.diagnostic(
        f"The packages locked for a Python {environment.python} environment can't be installed. uv says:\n"
        + _indented(output),
        hint="Where the network failed, run apply again: what was downloaded is kept. Where a package can't be "
        "installed on this machine, change its pin and resolve again:\n    mlplan lock",
    )


def _cannot_write(folder: str, error: OSError) -> Diagnostic:
    return codes.MLP8105.diagnostic(
        f"The environment in {folder} can't be built: {error}.",
        hint="Make room there, or name another folder:\n    export MLPLAN_CACHE_DIR=/path/with/room",
    )


def _indented(lines: Sequence[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)
