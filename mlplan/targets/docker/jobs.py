"""Jobs as containers: one each, from an image of environment and code, with `inside/job.py` as its first process.

What a job is stands on its container, as labels; how it ended, in a file inside it. On this machine there is a lock
for each key, held while a process starts or ends the job, and what was collected:

    <jobs>/<digest of the key>.lock
    <jobs>/<digest of the key>/outputs, logs
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlplan.codes import target as codes
from mlplan.errors import Refusal
from mlplan.machine import masking
from mlplan.machine.files import is_locked
from mlplan.machine.locks import exclusive
from mlplan.machine.variables import thread_limits
from mlplan.render.dockerfiles import Image, training_files
from mlplan.targets.docker import archives, containers
from mlplan.targets.docker.engine import Engine, labels_of, with_prefix
from mlplan.targets.docker.images import Recipe, build, index_warnings, remove_images
from mlplan.targets.docker.inside import JOB_NOT_BEGUN, source
from mlplan.targets.protocols import Collected, JobSpec, Progress
from mlplan.tracking.job import SHIM, tracking_variables
from mlplan.world import ObservedJob

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic
    from mlplan.json_types import Json

WORK = "/work"
INSIDE = "/opt/mlplan"
_POLL_S = 0.02
_PATIENCE_S = 5.0  # what a container may need beyond the grace to end
_BEGIN_S = 60.0  # for the first process to say that the script runs


class DockerJobs:
    """The jobs of one project. `home` names the project on the engine, `folder` is where results are put."""

    def __init__(self, engine: Engine, home: str, folder: str, compute: Mapping[str, Json]) -> None:
        self._engine = engine
        self._home = home
        self._folder = folder
        self._compute = compute

    def check(self, spec: JobSpec) -> Sequence[Diagnostic]:
        """No engine, no BuildKit, no GPUs, folders that the job's user can't read; and what is not quite sound."""
        try:
            return [
                *containers.problems(self._engine, self._compute, spec.environment, spec.resources),
                *containers.unreadable(mount.source for mount in spec.mounts),
                *index_warnings(os.environ),
            ]
        except Refusal as refusal:
            return refusal.diagnostics

    def submit(self, spec: JobSpec, progress: Progress) -> None:
        """Builds the image where it is new, makes the container, starts it and tells it what to run.

        Raises: Refusal where one of these fails; no container is left then.
        """
        with self._locked(spec.key):
            known = self._find(spec.key)
            if known is not None:
                if _has_begun(known):
                    return
                self._discard(known["Id"])  # made by a process that died before it could start anything
            recipe = self._recipe(spec)
            made = build(self._engine, recipe, progress)
            progress("Preparing", "making the container")
            container = self._make(spec, made["Id"])
            try:
                self._start(spec, container)
            except BaseException:
                self._discard(container)
                raise
            earlier = {"home": self._home, "address": recipe.image.address}
            remove_images(self._engine, earlier, keep=[made["Id"]])
        progress("Running", "")

    def observe(self, key: str) -> ObservedJob:
        """As the engine says; once it has ended, as its first process recorded it."""
        known = self._find(key)
        if known is None or not _has_begun(known):
            return ObservedJob("Preparing" if is_locked(self._lock_path(key)) else "Absent")
        state = known["State"]
        started = str(state["StartedAt"])
        if state["Running"]:
            return ObservedJob("Running", started=started)
        result = self._read(known["Id"], "result.json")
        killed = bool(state["OOMKilled"])
        if result is None:  # its first process was killed, or the machine stopped
            return ObservedJob("Ended", None, out_of_memory=killed, started=started)
        return ObservedJob(
            "Ended",
            exit_code=result["exit_code"],
            timed_out=result["timed_out"],
            canceled=result["canceled"],
            out_of_memory=killed and not (result["timed_out"] or result["canceled"]) and result["exit_code"] != 0,
            started=started,
            duration_s=result["duration_s"],
            peak_memory_bytes=result["peak_memory_bytes"],
        )

    def logs(self, key: str, *, follow: bool) -> Iterator[str]:
        """Its output as the engine keeps it; with `follow` as it comes, until the job has ended."""
        while follow and self.observe(key).state == "Preparing":
            time.sleep(_POLL_S)
        known = self._find(key)
        if known is not None:
            yield from containers.lines_of(containers.output(self._engine, known["Id"], follow=follow))

    def collect(self, key: str) -> Collected:
        """`outputs` and `logs` out of the container, written anew at each call.

        Raises: Refusal (MLP8005) for a job that isn't known or hasn't ended.
        """
        known = self._find(key)
        if known is None or self.observe(key).state != "Ended":
            raise Refusal(
                [
                    codes.MLP8005.diagnostic(
                        f"No ended job with the key {key} is on the Docker engine.",
                        hint="Execute the run again:\n    mlplan apply",
                    )
                ]
            )
        collected = Collected(*(os.path.join(self._results(key), name) for name in ("outputs", "logs")))
        shutil.rmtree(self._results(key), ignore_errors=True)
        for folder in collected:
            os.makedirs(folder)
            containers.fetch(self._engine, known["Id"], f"{WORK}/{os.path.basename(folder)}", folder)
        log = os.path.join(collected.logs, "std_log.txt")
        with contextlib.suppress(OSError):
            os.unlink(log)
        with open(log, "wb") as stream:
            for chunk in self._engine.client.api.logs(known["Id"], stream=True, follow=False):
                stream.write(chunk)
        return collected

    def cancel(self, key: str, *, grace_s: float) -> None:
        """Asks the first process to end the script, and stops the container where it doesn't."""
        if self._find(key) is None and not is_locked(self._lock_path(key)):
            return
        with self._locked(key):
            known = self._find(key)
            if known is not None and known["State"]["Running"]:
                self._cancel(known["Id"], grace_s)

    def remove(self, key: str) -> None:
        """Removes the job's container and what was collected of it."""
        known = self._find(key)
        if known is None and not os.path.exists(self._lock_path(key)):
            return
        with self._locked(key):
            known = self._find(key)
            if known is not None:
                self._discard(known["Id"])
            shutil.rmtree(self._results(key), ignore_errors=True)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._lock_path(key))

    def keys(self) -> Sequence[str]:
        """The keys of the jobs that have a container, one that was never told what to run included."""
        return [labels_of(c)["key"] for c in self._engine.containers({"home": self._home, "role": "job"})]

    def _recipe(self, spec: JobSpec) -> Recipe:
        environment = spec.environment
        python = environment.python if environment else None
        image = Image(
            project=spec.labels.get("project", ""),
            address=spec.labels.get("address", f"run.{spec.name}"),
            base_image=containers.base_of(self._compute, python),
            python=python,
            requirements=environment.requirements if environment else "",
            buildkit=bool(self._compute.get("buildkit", True)),
            revision=spec.labels.get("revision", ""),
        )
        return Recipe(
            image,
            training_files,
            # What the user's own runs left in the source is no output of this one.
            archives.tree("code", spec.code, leave_out=("outputs", "logs")),
            self._home,
        )

    def _make(self, spec: JobSpec, image: str) -> str:
        """The id of the job's new container, with its first process and the packages for scripts laid into it."""
        uid = containers.user_id()
        interpreter = containers.interpreter(spec.environment)
        api = self._engine.client.api
        limits = containers.limits(spec.resources)
        with containers.making(f"Run {spec.name} was not started"):
            created = api.create_container(
                image,
                name=f"mlplan-{self._home[:6]}-{spec.id}"[:120],
                entrypoint=[interpreter, "-I", "-B", "-u", f"{INSIDE}/job/job.py"],
                command=[],
                user=f"{uid}:0",
                working_dir=WORK,
                stdin_open=True,
                environment=containers.proxies(os.environ),
                labels=with_prefix({**spec.labels, "role": "job", "home": self._home, "key": spec.key}),
                host_config=api.create_host_config(
                    mounts=[
                        containers.read_only(mount.source, place(number)) for number, mount in enumerate(spec.mounts)
                    ],
                    log_config=containers.log_config(),
                    cap_drop=["ALL"],
                    security_opt=["no-new-privileges"],
                    **limits,
                ),
            )
            container = str(created["Id"])
            with containers.discarding(self._engine, container):
                laid = [
                    archives.folder("work", uid=uid),
                    archives.folder("work/outputs", uid=uid),
                    archives.folder("work/logs", uid=uid),
                    archives.folder("opt/mlplan"),
                    archives.folder("opt/mlplan/job", uid=uid),
                    archives.text("opt/mlplan/job/job.py", source("job")),
                    archives.Entry("opt/mlplan/job/masking.py", source=masking.__file__),
                    *(entry for entry in archives.tree("opt/mlplan/shim", SHIM) if "__pycache__" not in entry.path),
                ]
                api.put_archive(container, "/", b"".join(archives.pack(laid)))
        return container

    def _start(self, spec: JobSpec, container: str) -> None:
        """Starts the container, tells it what to run, and waits until it says that it does."""
        api = self._engine.client.api
        with containers.making(f"Run {spec.name} was not started"):
            # Attached first: where this process dies from here on, the container sees the end of its stdin.
            stdin = api.attach_socket(container, params={"stdin": 1, "stream": 1})
            try:
                api.start(container)
                connection = getattr(stdin, "_sock", stdin)
                connection.sendall(json.dumps(_launch(spec)).encode())
                connection.shutdown(1)  # SHUT_WR: the end of stdin
            finally:
                stdin.close()
        deadline = time.monotonic() + _BEGIN_S
        while True:
            running = bool((self._engine.container(container) or {"State": {}})["State"].get("Running"))
            answer = self._read(container, "answer.json")
            if answer is not None and "error" not in answer:
                return
            if answer is not None or not running or time.monotonic() > deadline:
                reason = str((answer or {}).get("error") or self._last_words(container))
                raise Refusal(
                    [
                        codes.MLP8004.diagnostic(
                            f"Run {spec.name} was not started: {reason}",
                            hint="Nothing of it was executed. Mend this and run\n    mlplan apply",
                        )
                    ]
                )
            time.sleep(_POLL_S)

    def _cancel(self, container: str, grace_s: float) -> None:
        import docker.errors

        api = self._engine.client.api
        uid = containers.user_id()
        wish = archives.text("opt/mlplan/job/cancel.json", json.dumps({"grace_s": grace_s}), uid=uid)
        with contextlib.suppress(docker.errors.APIError):  # it has ended meanwhile
            api.put_archive(container, "/", b"".join(archives.pack([wish])))
            api.kill(container, signal="SIGTERM")
        deadline = time.monotonic() + grace_s + _PATIENCE_S
        while (self._engine.container(container) or {"State": {}})["State"].get("Running"):
            if time.monotonic() > deadline:
                with contextlib.suppress(docker.errors.APIError):
                    api.kill(container, signal="SIGKILL")
            time.sleep(_POLL_S)

    def _last_words(self, container: str) -> str:
        lines = list(containers.lines_of(self._engine.client.api.logs(container, stream=True, follow=False, tail=20)))
        return "\n".join(["its container ended at once.", *(f"    {line}" for line in lines)])

    def _find(self, key: str) -> dict[str, Any] | None:
        found = self._engine.containers({"home": self._home, "role": "job", "key": key})
        return found[-1] if found else None

    def _discard(self, container: str) -> None:
        containers.remove(self._engine, container)

    def _read(self, container: str, name: str) -> dict[str, Any] | None:
        """A file of the first process's, or None where it isn't there."""
        content = containers.read_file(self._engine, container, f"{INSIDE}/job/{name}")
        return dict(json.loads(content)) if content else None

    @contextlib.contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        os.makedirs(self._folder, exist_ok=True)
        with exclusive(self._lock_path(key), "a run"):
            yield

    def _results(self, key: str) -> str:
        return os.path.join(self._folder, hashlib.sha256(key.encode()).hexdigest()[:20])

    def _lock_path(self, key: str) -> str:
        return f"{self._results(key)}.lock"


def place(number: int) -> str:
    """Where a job finds the folder of its mount number so and so."""
    return f"/mnt/input{number}"


def _launch(spec: JobSpec) -> dict[str, Any]:
    """What the first process is told: the command line, the variables beyond those of the image, what to mask."""
    interpreter = containers.interpreter(spec.environment)
    tracking = tracking_variables(spec, f"{WORK}/outputs", shim=f"{INSIDE}/shim")
    asked = {name: _placed(spec, value) for name, value in spec.env.items()}
    paths = [path for path in (asked.get("PYTHONPATH"), tracking["PYTHONPATH"]) if path]
    env = {
        **thread_limits(spec.resources.cpu),
        **tracking,
        **asked,
        "PYTHONPATH": ":".join(paths),
    }
    program = interpreter if spec.argv[0] == "python" else _placed(spec, spec.argv[0])
    return {
        "argv": [program, *(_placed(spec, word) for word in spec.argv[1:])],
        "env": env,
        "secrets": list(spec.secrets),
        "timeout_s": spec.timeout_s,
    }


def _placed(spec: JobSpec, text: str) -> str:
    for number, mount in enumerate(spec.mounts):
        text = text.replace(mount.placeholder, place(number))
    return text


def _has_begun(container: Mapping[str, Any]) -> bool:
    """Whether the job counts as started: not while its container is only made, nor where it was told nothing."""
    state = container["State"]
    return bool(state["Status"] != "created" and (state["Running"] or state["ExitCode"] != JOB_NOT_BEGUN))
