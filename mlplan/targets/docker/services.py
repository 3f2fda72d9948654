"""Services in containers: a new generation starts beside the old one, is asked, and takes clients from the same door.

The engine can't give a published port from one container to another without a gap, so the port has a container of
its own, the door, which hands its listening socket to whoever serves (`inside/door.py`). From the start of a
generation to the end of the one before no client is turned away.

The order of the steps is such that after a crash between any two of them the containers tell which generation is
live; all else is what is left of something, and the next `deploy` or `delete` clears it. What there is of a service:
`generations.py`; how it is now: `observing.py`; what its containers are made of: `service_image.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlplan.codes import target as codes
from mlplan.errors import Refusal
from mlplan.machine.locks import exclusive
from mlplan.machine.ports import health, is_free, port_taken, url
from mlplan.targets.docker import containers, records
from mlplan.targets.docker.engine import labels_of, refused
from mlplan.targets.docker.generations import (
    ALWAYS,
    Door,
    Found,
    Generation,
    find,
    make_candidate,
    make_door,
    private_port,
    reload,
    remove_volumes,
    restart_policy,
)
from mlplan.targets.docker.images import build, ensure_base, index_warnings, remove_images
from mlplan.targets.docker.logs import log_of
from mlplan.targets.docker.observing import edits, observe
from mlplan.targets.docker.service_image import config, recipe
from mlplan.targets.hosting import RefusedLogs, endpoint, with_log

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic
    from mlplan.json_types import Json
    from mlplan.targets.docker.engine import Engine
    from mlplan.targets.protocols import KeptFile, Progress, ServiceSpec, Verify
    from mlplan.world import ObservedService

SERVICE = "/opt/mlplan/runtime/service.py"
_START_S = 300.0  # for a model to be loaded
_HEALTH_S = 2.0
_GRACE_S = 10
_DRAIN_S = 30  # for requests that the old generation is answering
_POLL_S = 0.05
_TAIL = 20


class DockerServices:
    """The services of one project. `home` names the project on the engine, `folder` holds the locks on this machine,
    `package` is the folder of the scoring runtime."""

    def __init__(self, engine: Engine, home: str, folder: str, compute: Mapping[str, Json], package: str) -> None:
        self._engine = engine
        self._home = home
        self._folder = folder
        self._compute = compute
        self._package = package
        self._refused = RefusedLogs(folder)

    def check(self, spec: ServiceSpec) -> Sequence[Diagnostic]:
        """No engine, no BuildKit, no GPUs, keys that the container's user can't read."""
        try:
            found = containers.problems(self._engine, self._compute, spec.environment, spec.resources)
        except Refusal as refusal:
            return refusal.diagnostics
        return [*found, *index_warnings(os.environ)]

    def in_the_way(self, name: str, host: str, port: int) -> Sequence[Diagnostic]:
        if is_free(host, port):
            return ()
        door = self._find(name).door((host, port))
        return () if door and door.is_open else (port_taken(name, host, port),)

    def deploy(self, spec: ServiceSpec, verify: Verify, progress: Progress) -> ObservedService:
        """Brings up the generation with this key; where it is live already and as it was made, asks it only.

        Raises: Refusal (MLP8002, MLP8007, MLP8008, MLP82xx, or what `verify` raises); what served before still does.
        """
        with self._locked(spec.name):
            found = self._find(spec.name)
            live = found.live
            door = found.door((spec.host, spec.port))
            if live and live.key == spec.key and door and door.is_open and self._is_whole(live):
                self._hold_open(door)
                self._take_up(live, spec, verify, progress)
                self._refused.forget(spec.name)
                self._clear(found, live, door)
                return self.observe(spec.name)
            self._remove_generations([g for g in found.generations if not g.was_live])
            candidate, door = self._bring_up(spec, live, door, verify, progress)
            self._refused.forget(spec.name)
            if live:
                progress("Transitioning", "waiting for the old service's last answers")
            self._clear(self._find(spec.name), candidate, door)
            return self.observe(spec.name)

    def observe(self, name: str) -> ObservedService:
        """What the live generation answers, and what the engine says of its containers."""
        return observe(self._engine, self._find(name))

    def logs(self, name: str, *, follow: bool) -> Iterator[str]:
        """The log of the live generation, or else of the youngest; with `follow`, until that one ends."""
        found = self._find(name)
        shown = found.live or (found.generations[-1] if found.generations else None)
        if shown is not None:
            yield from log_of(self._engine, shown, follow=follow)

    def refused(self, name: str) -> str:
        """Where the log of the last candidate is, if that one did not go live."""
        return self._refused.path(name)

    def kept(self, name: str) -> Iterator[KeptFile]:
        """The files in the service's volume."""
        return records.kept(self._engine, self._home, name)

    def delete(self, name: str) -> None:
        """Ends all generations and the door, brings home what was kept, removes the service's volumes and images."""
        found = self._find(name)
        self._refused.forget(name)
        if not found.doors and not found.generations and not os.path.exists(self._lock_path(name)):
            return
        with self._locked(name):
            found = self._find(name)
            address = next((labels_of(c).get("address") for g in found.generations for c in g.containers), None)
            self._remove_generations(found.generations)
            for door in found.doors:
                containers.remove(self._engine, door.container["Id"])
            remove_volumes(self._engine, {"home": self._home, "service": name})
            records.bring_home(self._engine, self._home, name)
            remove_images(self._engine, {"home": self._home, "address": address or f"deployment.{name}"})
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._lock_path(name))

    def names(self) -> Sequence[str]:
        """The services that have a container."""
        found = (labels_of(container) for container in self._engine.containers({"home": self._home}))
        return sorted({labels["service"] for labels in found if "service" in labels})

    def _take_up(self, live: Generation, spec: ServiceSpec, verify: Verify, progress: Progress) -> None:
        """Has a generation asked that is there already, and lets it go live again, which where it is changes nothing.

        A deploy that was killed while it took over may have told some of its replicas or none, and the generation
        before may still answer at the door: so it is asked where it alone answers.
        """
        live = self._wait_until_ready(live, spec, progress)
        verify(endpoint(_private_url(live.containers[0]), spec))
        for container in live.containers:
            self._go_live(container["Id"], spec)

    def _bring_up(
        self, spec: ServiceSpec, live: Generation | None, door: Door | None, verify: Verify, progress: Progress
    ) -> tuple[Generation, Door]:
        """Starts a candidate, has it asked and lets it go live. Whatever goes wrong, it is gone then."""
        if (door is None or not door.is_open) and not is_free(spec.host, spec.port):
            raise Refusal([port_taken(spec.name, spec.host, spec.port)])
        if spec.keys_file is not None:
            containers.give(spec.keys_file)
        made_of = recipe(spec, self._compute, self._home, self._package)
        image = build(self._engine, made_of, progress)
        base = ensure_base(self._engine, made_of.image.base_image, progress)
        with contextlib.ExitStack() as undo:
            door = self._open_door(spec, door, base, undo)
            undo.callback(records.bring_home, self._engine, self._home, spec.name)
            progress("Transitioning", "making the containers")
            with containers.making(f"Service {spec.name} did not start"):
                candidate = make_candidate(self._engine, self._home, spec, image, door, config(spec))
            undo.callback(self._give_up, candidate, spec.name)
            candidate = self._wait_until_ready(candidate, spec, progress)
            progress("Transitioning", "asking it before it takes traffic")
            verify(endpoint(_private_url(candidate.containers[0]), spec))
            progress("Transitioning", "going live")
            for container in candidate.containers:
                self._go_live(container["Id"], spec)
            undo.pop_all()
        return reload(self._engine, [c["Id"] for c in candidate.containers]), door

    def _give_up(self, candidate: Generation, name: str) -> None:
        """Ends a candidate and removes all of it but the end of its log."""
        import docker.errors

        with contextlib.suppress(Refusal, docker.errors.DockerException, OSError):  # what follows is not to be missed
            self._refused.keep(name, log_of(self._engine, candidate, follow=False))
        self._remove_generations([candidate])

    def _open_door(self, spec: ServiceSpec, door: Door | None, base: str, undo: contextlib.ExitStack) -> Door:
        """The door at the service's place: the one that is there and open, or a new one."""
        import docker.errors

        if door is not None and door.is_open:
            self._hold_open(door)
            return door
        if door is not None:
            containers.remove(self._engine, door.container["Id"])
        try:
            made = make_door(self._engine, self._home, spec, base, self._package)
        except docker.errors.APIError as error:
            message = str(error.explanation or error)
            if "already allocated" in message or "already in use" in message:
                raise Refusal([port_taken(spec.name, spec.host, spec.port)]) from error
            raise Refusal([refused(f"Service {spec.name} did not start", message)]) from error
        undo.callback(self._close_door, spec.name, made.container["Id"])
        return made

    def _hold_open(self, door: Door) -> None:
        """Has the engine start an open door again when it ends, where somebody changed that."""
        if restart_policy(door.container) != ALWAYS:
            with containers.making("The container with the service's port can't be altered"):
                containers.set_restart(self._engine, door.container["Id"], ALWAYS)

    def _close_door(self, name: str, container: str) -> None:
        containers.remove(self._engine, container)
        remove_volumes(self._engine, {"home": self._home, "service": name})

    def _wait_until_ready(self, candidate: Generation, spec: ServiceSpec, progress: Progress) -> Generation:
        """The candidate once each of its replicas answers. Raises: Refusal (MLP8007) where one never does."""
        deadline = time.monotonic() + _START_S
        said = "waiting until it is ready"
        names = [c["Id"] for c in candidate.containers]
        while True:
            candidate = reload(self._engine, names)
            ended = [c for c in candidate.containers if not c["State"]["Running"]]
            if ended or len(candidate.containers) < len(names):
                raise Refusal([self._did_not_start(candidate, spec, _why_ended(ended))])
            if all(
                health("127.0.0.1", private_port(c), timeout_s=_HEALTH_S).status == 200 for c in candidate.containers
            ):
                return candidate
            if time.monotonic() > deadline:
                reason = f"it was not ready after {_START_S:.0f} seconds"
                raise Refusal([self._did_not_start(candidate, spec, reason)])
            said = next(iter(self._last_lines(candidate, 1)), "") or said
            progress("Transitioning", said)
            time.sleep(_POLL_S)

    def _go_live(self, container: str, spec: ServiceSpec) -> None:
        """Lets one replica take clients. Noted first: a crash between the two leaves what the next deploy clears."""
        with containers.making(f"Service {spec.name} could not take over"):
            containers.set_restart(self._engine, container, ALWAYS)
            answer = self._tell(container, "go-live")
        if answer.get("phase") != "live":
            reason = str(answer.get("error") or "its runtime did not answer")
            lines = self._last_lines(reload(self._engine, [container]), _TAIL)
            raise Refusal(
                [
                    codes.MLP8008.diagnostic(
                        f"Service {spec.name} was ready, but could not take over port {spec.port}: "
                        f"{with_log(reason, lines)}",
                        hint="See what serves now, and try again:\n    mlplan service list\n    mlplan apply",
                    )
                ]
            )

    def _tell(self, container: str, command: str) -> dict[str, Any]:
        """What a container's first process answers to a command; an error where it can't be asked."""
        import docker.errors

        api = self._engine.client.api
        try:
            interpreter = api.inspect_container(container)["Path"]
            printed = api.exec_start(api.exec_create(container, [interpreter, "-I", "-B", SERVICE, command])["Id"])
        except docker.errors.APIError as error:
            return {"error": str(error.explanation or error)}
        lines = [line for line in printed.decode(errors="replace").splitlines() if line.startswith("{")]
        return dict(json.loads(lines[-1])) if lines else {"error": printed.decode(errors="replace").strip()}

    def _is_whole(self, live: Generation) -> bool:
        """Whether a generation is as it was made."""
        return len(live.running) == live.replicas and not any(edits(self._engine, live))

    def _clear(self, found: Found, live: Generation, door: Door) -> None:
        """Removes all of a service but this generation and this door."""
        others = [generation for generation in found.generations if generation.mark != live.mark]
        for other in others:
            if other.was_live:
                self._retire(other)
        self._remove_generations(others)
        records.bring_home(self._engine, self._home, labels_of(live.containers[0])["service"])
        for old_door in found.doors:
            if old_door.container["Id"] != door.container["Id"]:
                containers.remove(self._engine, old_door.container["Id"])
        address = labels_of(live.containers[0]).get("address")
        if address:
            remove_images(self._engine, {"home": self._home, "address": address}, keep=[live.image[1]])

    def _remove_generations(self, unwanted: Sequence[Generation]) -> None:
        """Ends these and removes them."""
        for generation in unwanted:
            for container in generation.containers:
                containers.stop(self._engine, container["Id"], _GRACE_S)
                containers.remove(self._engine, container["Id"])
                labels = labels_of(container)
                remove_volumes(self._engine, {"home": self._home, "service": labels["service"]})

    def _retire(self, old: Generation) -> None:
        """Lets a generation that serves answer who is there, and waits until it has ended."""
        names = [container["Id"] for container in old.running]
        with containers.making("The old service can't be ended"):
            for name in names:
                containers.set_restart(self._engine, name, "no")
                if self._tell(name, "retire").get("phase") != "live":  # it serves nobody
                    containers.stop(self._engine, name, _GRACE_S)
        deadline = time.monotonic() + _DRAIN_S
        while reload(self._engine, names).running and time.monotonic() < deadline:
            time.sleep(_POLL_S)

    def _find(self, name: str) -> Found:
        return find(self._engine, self._home, name)

    def _last_lines(self, generation: Generation, count: int) -> list[str]:
        """The end of the log of the replica that has ended, or else of the first."""
        shown = next((c for c in generation.containers if not c["State"]["Running"]), None)
        shown = shown or (generation.containers[0] if generation.containers else None)
        if shown is None:
            return []
        api = self._engine.client.api
        return list(containers.lines_of(api.logs(shown["Id"], stream=True, follow=False, tail=count)))

    def _did_not_start(self, candidate: Generation, spec: ServiceSpec, reason: str) -> Diagnostic:
        return codes.MLP8007.diagnostic(
            f"Service {spec.name} did not start: {with_log(reason, self._last_lines(candidate, _TAIL))}",
            hint="What served before still does. Mend this and run\n    mlplan apply",
        )

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        os.makedirs(self._folder, exist_ok=True)
        with exclusive(self._lock_path(name), f"service {name}"):
            yield

    def _lock_path(self, name: str) -> str:
        return os.path.join(self._folder, f"{name}.lock")


def _private_url(container: Mapping[str, Any]) -> str:
    return url("127.0.0.1", private_port(container))


def _why_ended(ended: Sequence[Mapping[str, Any]]) -> str:
    """Why a candidate's container is not running any more."""
    if not ended:
        return "one of its containers was removed"
    state = ended[0]["State"]
    if state["OOMKilled"]:
        return "it needs more memory than `resources.memory` allows"
    if state["ExitCode"] == 3:
        return "its init() failed"
    return f"it ended with exit code {state['ExitCode']}"
