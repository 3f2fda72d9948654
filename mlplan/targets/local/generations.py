"""One generation of a service: its folder and its processes. What services are made of: `services.py`.

<services>/<name>/<first ten of the key>/
    app/, runtime/      what it consists of; `service.json` says how it is to run
    files.json          size and time of each of those files, as they were laid out
    process.json        who its first process is
    live.json           it went live; without it, it is a candidate or what is left of one
    log.txt             what its processes print
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from mlplan.json_types import Json
from mlplan.machine import files, masking, processes
from mlplan.machine.variables import kept_variables
from mlplan.serving import GAVE_UP, RUNTIME_MAIN
from mlplan.serving.control import ask
from mlplan.targets.hosting import runtime_config
from mlplan.targets.protocols import ServiceSpec

MARK = "MLPLAN_SERVICE"
"""The variable by which a service's processes are known, with the generation's folder."""
_FILES = "files.json"
_ASK_S = 2.0
_LAST_WORDS = 10  # lines of its log
_POLL_S = 0.02
_PATIENCE_S = 2.0  # what a runtime may need beyond the grace to end


class Generation:
    """One deployed generation, or what is left of one."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.spec: Mapping[str, Any] = files.read_json(os.path.join(folder, "service.json")) or {}
        self.identity = processes.read_identity(files.read_json(os.path.join(folder, "process.json")))
        self.was_live = os.path.exists(os.path.join(folder, "live.json"))

    @property
    def key(self) -> str:
        """The key that it was deployed with."""
        return str(self.spec.get("key", ""))

    @property
    def place(self) -> tuple[str, int]:
        """Where it listens: host and port."""
        return str(self.spec.get("host", "")), int(self.spec.get("port", 0))

    @property
    def log(self) -> str:
        """The path of its log."""
        return os.path.join(self.folder, "log.txt")

    def is_alive(self) -> bool:
        """Whether its first process runs."""
        return self.identity is not None and processes.is_alive(self.identity)

    def ask(self, request: Mapping[str, Json], *, timeout_s: float = _ASK_S) -> dict[str, Any] | None:
        """What its runtime answers on the control socket, or None."""
        try:
            return ask(str(self.spec.get("control", "")), dict(request), timeout_s)
        except (OSError, ValueError):
            return None

    def phase(self) -> str:
        """What its runtime says it is doing; "" where none answers."""
        return str((self.ask({"do": "status"}) or {}).get("phase", "")) if self.is_alive() else ""

    def leftovers(self) -> set[int]:
        """The processes that run of it, with or without the first one."""
        return processes.belonging(self.identity, MARK, self.folder)

    def altered(self) -> list[str]:
        """Its files that are no longer as they were laid out, relative to its folder; the list of them, where that
        can't be read any more."""
        known = files.read_json(os.path.join(self.folder, _FILES))
        if known is None:
            return [_FILES]
        return [path for path, stamp in known.items() if _stamp(os.path.join(self.folder, path)) != stamp]

    def mark_live(self) -> None:
        """Notes that it went live."""
        files.write_json(os.path.join(self.folder, "live.json"), {"format": 1}, durable=True)
        self.was_live = True

    def end(self, *, grace_s: float, asked: bool = False) -> None:
        """Ends all its processes: asked first (unless somebody did), forced after `grace_s`."""
        if self.identity is not None and self.is_alive():
            agreed = asked or self.ask({"do": "stop", "grace_s": grace_s}) is not None
            if agreed:
                wait_until_gone(self.identity, grace_s + _PATIENCE_S)
        processes.end(self.leftovers, _PATIENCE_S)

    def clear(self, *, grace_s: float, asked: bool = False) -> None:
        """Ends it and removes its folder."""
        self.end(grace_s=grace_s, asked=asked)
        files.remove_folder(self.folder)

    def wait_for_log(self) -> None:
        """Waits a moment for the last of its output, once its first process has ended: what masks that ends later."""
        deadline = time.monotonic() + _PATIENCE_S
        while self.leftovers() and time.monotonic() < deadline:
            time.sleep(_POLL_S)

    def last_lines(self, count: int) -> list[str]:
        """The end of its log."""
        try:
            with open(self.log, encoding="utf-8", errors="replace") as stream:
                return stream.read().splitlines()[-count:]
        except OSError:
            return []

    def last_words(self) -> str:
        """Why its runtime gave up, such as workers that ended one after the other; "" where it was ended."""
        lines = self.last_lines(_LAST_WORDS)
        said = [line.partition(GAVE_UP)[2] for line in lines if GAVE_UP in line]
        return said[-1] if said else ""


def generations(parent: str) -> list[Generation]:
    """The generations in a service's folder, the youngest last."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(parent) as entries:
        folders = [(e.stat().st_mtime_ns, e.path) for e in entries if not e.name.startswith(".") and e.is_dir()]
        return [Generation(path) for _, path in sorted(folders)]
    return []


def strays(parent: str, known: Sequence[Generation]) -> set[int]:
    """Processes of generations of this service whose folder somebody removed."""
    found = processes.marked_below(MARK, parent)
    return found.difference(*(generation.leftovers() for generation in known)) if found else found


def end_strays(parent: str, known: Sequence[Generation], *, grace_s: float) -> None:
    """Ends them: nobody knows them any more, and they hold the service's port."""
    processes.end(lambda: strays(parent, known), grace_s)


def lay_out(spec: ServiceSpec, parent: str, runtime: str) -> Generation:
    """Makes the folder of a new generation, whole or not at all. `runtime` is the package that it runs."""
    import shutil

    name = spec.key[:10]
    while os.path.exists(os.path.join(parent, name)):  # an older one with the same key, altered or half dead
        name += "~"
    folder = os.path.join(parent, name)
    aside = files.aside(folder)
    files.remove_folder(aside)
    app = os.path.join(aside, "app")
    os.makedirs(app)
    try:
        if spec.code is not None:
            files.copy_folder(spec.code, os.path.join(app, spec.code_name))
        for model in spec.models:
            files.copy_folder(model.path, os.path.join(app, "azureml-models", model.name, str(model.version)))
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(runtime, os.path.join(aside, "runtime", "mlplan_serving"), ignore=ignore)
        with open(os.path.join(aside, "runtime", "__main__.py"), "w", encoding="utf-8") as stream:
            stream.write(RUNTIME_MAIN)
        files.write_json(os.path.join(aside, _FILES), dict(_stamps(aside)), durable=False)
        description = runtime_config(spec, os.path.join(folder, "app"), os.path.join(folder, "control.sock"))
        files.write_json(os.path.join(aside, "service.json"), description, durable=True, mode=0o600)
        os.rename(aside, folder)
    except BaseException:
        files.remove_folder(aside)
        raise
    files.sync_folder(parent)
    return Generation(folder)


def start(generation: Generation, spec: ServiceSpec, python: str) -> Any:
    """Starts the runtime in a session of its own and notes who it is. The Popen that comes back reaps it."""
    import subprocess

    kept = kept_variables(os.environ)
    path = os.pathsep.join((os.path.dirname(python), kept.get("PATH", os.defpath)))
    env = {**kept, "PATH": path, **spec.env, MARK: generation.folder}
    if spec.environment is not None:
        env["VIRTUAL_ENV"] = os.path.dirname(os.path.dirname(python))
    runtime, description = (os.path.join(generation.folder, name) for name in ("runtime", "service.json"))
    with open(generation.log, "ab") as log, _output(log, spec.secrets, {**kept, MARK: generation.folder}) as output:
        process = subprocess.Popen(
            [python, "-I", "-B", "-u", runtime, "serve", description],
            cwd=generation.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    identity = processes.identify(process.pid)
    if identity is not None:  # else it has ended already
        files.write_json(os.path.join(generation.folder, "process.json"), identity._asdict(), durable=False)
        generation.identity = identity
    return process


@contextlib.contextmanager
def _output(log: IO[bytes], secrets: Sequence[str], env: Mapping[str, str]) -> Iterator[IO[bytes]]:
    """Where a service prints to: its log, or a process that masks secrets on the way there. That one goes on in the
    background until nobody is left who prints. It is marked as one of the service's, to be found with them."""
    import json
    import subprocess

    if not secrets:
        yield log
        return
    told, tell = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", masking.__file__, str(told)],
        env=env,
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        pass_fds=(told,),
        start_new_session=True,
    ) as masker:
        os.close(told)
        with open(tell, "w", encoding="utf-8") as stream:
            json.dump(list(secrets), stream)
        assert masker.stdin is not None
        yield masker.stdin


def wait_until_gone(identity: processes.Identity, seconds: float) -> bool:
    """Whether that process ends within so many seconds."""
    deadline = time.monotonic() + seconds
    while processes.is_alive(identity):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def uptime_s(identity: processes.Identity) -> float | None:
    """For how long it has been running, where the system tells."""
    if not sys.platform.startswith("linux"):
        return None
    with open("/proc/uptime", encoding="ascii") as stream:
        return round(float(stream.read().split()[0]) - int(identity.start) / os.sysconf("SC_CLK_TCK"), 1)


def _stamps(folder: str) -> Iterator[tuple[str, list[int]]]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            stamp = _stamp(path)
            if stamp is not None:
                yield os.path.relpath(path, folder), stamp


def _stamp(path: str) -> list[int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
