"""Services as processes of this machine: each generation in a folder of its own, run by the scoring runtime.

A service is changed by starting the new generation beside the old one, asking it, and then handing the port over. The
order of the steps is such that after a crash between any two of them the folders and the runtimes themselves tell
which one is live; all else is what is left of something, and the next `deploy` or `delete` clears it.
One generation: `generations.py`. How one is asked: `machine/ports.py`, `serving/control.py`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mlplan.json_types import Json
from mlplan.machine import files
from mlplan.machine.ports import health, is_free, port_taken, url
from mlplan.targets.hosting import RefusedLogs, endpoint, with_log
from mlplan.targets.local.generations import Generation, end_strays, generations, strays, uptime_s
from mlplan.world import ObservedService, ServiceState

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic
    from mlplan.targets.protocols import KeptFile, Progress, ServiceSpec, Verify

_START_S = 300.0  # for a model to be loaded
_GO_LIVE_S = 40.0  # longer than the runtime waits for the generation before
_DRAIN_S = 30.0  # for requests that the old generation is answering
_GRACE_S = 10.0
_HEALTH_S = 2.0
_RELEASE_S = 1.0
_POLL_S = 0.05
_TAIL = 20


class LocalServices:
    """The services below one folder. `runtime` is the folder of the package that they run."""

    def __init__(self, services: str, runtime: str) -> None:
        self._services = services
        self._runtime = runtime
        self._refused = RefusedLogs(services)
        self._children: list[Any] = []  # runtimes that this process started: it is their parent and reaps them

    def check(self, spec: ServiceSpec) -> Sequence[Diagnostic]:
        """Limits without effect, no builder of environments."""
        from mlplan.targets.local.environments import find_uv, is_built, missing_uv, unsupported_system
        from mlplan.targets.registry import fields_without_effect

        found = list(fields_without_effect("local", spec.resources))
        if sys.platform == "win32":
            found.append(unsupported_system())
        if not is_built(spec.environment) and find_uv() is None:
            found.append(missing_uv())
        return found

    def in_the_way(self, name: str, host: str, port: int) -> Sequence[Diagnostic]:
        known = generations(self._folder(name))
        # A generation of this service, or what is left of a dead one, makes room when its successor comes.
        own = any(g.place == (host, port) and (g.is_alive() or g.leftovers()) for g in known)
        if own or is_free(host, port) or strays(self._folder(name), known):
            return ()
        return (port_taken(name, host, port),)

    def deploy(self, spec: ServiceSpec, verify: Verify, progress: Progress) -> ObservedService:
        """Brings up the generation with this key; where it is live already and as it was laid out, asks it only.

        Raises: Refusal (MLP8002, MLP8007, MLP8008, or what `verify` raises); what served before still does.
        """
        with self._locked(spec.name):
            known = generations(self._folder(spec.name))
            live = _live(known)
            if live is not None and live.key == spec.key and not live.altered():
                verify(endpoint(url(*live.place), spec))
                live.mark_live()
                self._refused.forget(spec.name)
                _clear(known, but=live)
                return self.observe(spec.name)
            end_strays(self._folder(spec.name), known, grace_s=_GRACE_S)
            # Candidates go at once, since nobody was served by them. Of a dead generation the processes go, because
            # they can still hold the port; its folder stays until there is a new one.
            _clear([g for g in known if not g.was_live], but=live)
            for dead in known:
                if dead.was_live and (live is None or dead.folder != live.folder):
                    dead.end(grace_s=_GRACE_S)
            candidate = self._bring_up(spec, live, verify, progress)
            with contextlib.suppress(OSError):  # on a full disk: then the runtime itself tells that it is live
                candidate.mark_live()
            self._refused.forget(spec.name)
            if live is not None:
                progress("Transitioning", "waiting for the old service's last answers")
                live.clear(grace_s=_DRAIN_S, asked=live.place == candidate.place)
            _clear(generations(self._folder(spec.name)), but=candidate)
            return self.observe(spec.name)

    def observe(self, name: str) -> ObservedService:
        """What the live generation answers; its own files and its process are looked at beside it."""
        known = generations(self._folder(name))
        if not known:
            return ObservedService("Absent")
        live = _live(known)
        if live is not None:
            return _observe_live(live)
        starting = next((g for g in known if g.is_alive()), None)
        if starting is not None:
            return ObservedService("Transitioning", key=starting.key, detail={"pid": _pid(starting)})
        dead = next((g for g in reversed(known) if g.was_live), known[-1])
        uri = f"{url(*dead.place)}/score" if dead.was_live else ""
        return ObservedService("Failed", dead.key, "", uri, {"problem": dead.last_words() or "its process is gone"})

    def logs(self, name: str, *, follow: bool) -> Iterator[str]:
        """The log of the live generation, or else of the youngest; with `follow`, until that one ends."""
        from mlplan.targets.local.jobs import follow_lines

        known = generations(self._folder(name))
        if known:
            shown = _live(known) or known[-1]
            yield from follow_lines(shown.log, lambda: follow and shown.is_alive())

    def refused(self, name: str) -> str:
        """Where the log of the last candidate is, if that one did not go live."""
        return self._refused.path(name)

    def kept(self, name: str) -> Iterator[KeptFile]:
        """Nothing: its processes write to the folder that they are told."""
        return iter(())

    def delete(self, name: str) -> None:
        """Ends all generations and removes the service's folder."""
        folder = self._folder(name)
        self._refused.forget(name)
        if not os.path.isdir(folder) and not strays(folder, ()):
            return
        with self._locked(name):
            known = generations(folder)
            end_strays(folder, known, grace_s=_GRACE_S)
            for generation in known:
                generation.clear(grace_s=_GRACE_S)
            files.remove_folder(folder)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._lock_path(name))

    def names(self) -> Sequence[str]:
        """The services that have a folder."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(name for name in os.listdir(self._services) if not name.startswith("."))
        return []

    def _bring_up(self, spec: ServiceSpec, old: Generation | None, verify: Verify, progress: Progress) -> Generation:
        """Starts a candidate, has it asked and lets it go live. Whatever goes wrong, it is gone then."""
        from mlplan.errors import Refusal
        from mlplan.targets.local.environments import interpreter
        from mlplan.targets.local.generations import lay_out, start

        before = old if old is not None and old.place == (spec.host, spec.port) else None
        if before is None and not _gets_free(spec):
            raise Refusal([port_taken(spec.name, spec.host, spec.port)])
        python = interpreter(spec.environment, progress)
        progress("Transitioning", "laying out code and models")
        try:
            candidate = lay_out(spec, self._folder(spec.name), self._runtime)
        except OSError as error:
            raise Refusal([_did_not_start(None, spec, f"its folder can't be made: {error}")]) from error
        try:
            process = start(candidate, spec, python)
            self._children.append(process)
            progress("Transitioning", f"starting, process {process.pid}")
            status = _wait_until_ready(candidate, process, spec, progress)
            if before is None and not status.get("bound", True):
                raise Refusal([port_taken(spec.name, spec.host, spec.port)])  # taken since it was looked at
            progress("Transitioning", "asking it before it takes traffic")
            verify(endpoint(str(status["candidate_url"]), spec))
            progress("Transitioning", "going live")
            answer = _go_live(candidate, before, spec)
            if answer.get("phase") != "live":
                raise Refusal([_no_take_over(candidate, spec, answer)])
        except OSError as error:
            self._give_up(candidate, spec.name)
            raise Refusal([_did_not_start(None, spec, f"what it needs can't be written: {error}")]) from error
        except BaseException:
            self._give_up(candidate, spec.name)
            raise
        return candidate

    def _give_up(self, candidate: Generation, name: str) -> None:
        """Ends a candidate and removes all of it but the end of its log."""
        candidate.end(grace_s=_GRACE_S)
        self._refused.keep(name, candidate.last_lines(RefusedLogs.LINES))
        candidate.clear(grace_s=_GRACE_S)

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        from mlplan.machine.locks import exclusive

        os.makedirs(self._folder(name), exist_ok=True)
        os.makedirs(os.path.dirname(self._lock_path(name)), exist_ok=True)
        with exclusive(self._lock_path(name), f"service {name}"):
            os.makedirs(self._folder(name), exist_ok=True)
            files.sweep(self._folder(name), asides_older_than_s=0)
            yield
            self._children = [child for child in self._children if child.poll() is None]

    def _folder(self, name: str) -> str:
        return os.path.join(self._services, name)

    def _lock_path(self, name: str) -> str:
        return os.path.join(self._services, ".locks", name)


def _live(known: Sequence[Generation]) -> Generation | None:
    """The generation that serves, or None."""
    alive = [g for g in known if g.is_alive()]
    if len(alive) == 1 and alive[0].was_live:  # the usual case: nothing has to be asked
        return alive[0]
    # A crash in the middle of a change-over leaves two, or one that went live before that could be noted.
    # The youngest is asked again: it may have gone live while the one before it was asked.
    return next((g for g in (*reversed(alive), *alive[-1:]) if g.phase() == "live"), None)


def _go_live(candidate: Generation, before: Generation | None, spec: ServiceSpec) -> dict[str, Any]:
    """What the candidate answers when it is told to serve on its port, taken over from the generation before it.

    A generation before that has died, or doesn't even say what it is doing, can't hand anything over: it is ended.
    """
    if before is not None and before.phase():
        request: dict[str, Json] = {"do": "go-live", "from": str(before.spec["control"])}
        answer = candidate.ask(request, timeout_s=_GO_LIVE_S)
        if before.phase() or (answer or {}).get("phase") == "live":
            return answer or {}
    if before is not None:
        before.end(grace_s=_GRACE_S)
        _gets_free(spec)
    return candidate.ask({"do": "go-live", "from": None}, timeout_s=_GO_LIVE_S) or {}


def _gets_free(spec: ServiceSpec) -> bool:
    """Whether the port is free now or in a moment: the kernel takes one to close what a killed process had open."""
    deadline = time.monotonic() + _RELEASE_S
    while not is_free(spec.host, spec.port):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _clear(known: Sequence[Generation], *, but: Generation | None) -> None:
    for generation in known:
        if but is None or generation.folder != but.folder:
            generation.clear(grace_s=_GRACE_S)


def _observe_live(live: Generation) -> ObservedService:
    answer = health(*live.place, timeout_s=_HEALTH_S)
    detail: dict[str, Json] = {"pid": _pid(live)}
    told = live.ask({"do": "status"}, timeout_s=_HEALTH_S) or {}
    detail |= {name: told[name] for name in ("restarts", "metrics") if told.get(name)}
    if live.identity is not None and (uptime := uptime_s(live.identity)) is not None:
        detail["uptime_s"] = uptime
    if altered := live.altered():
        detail["altered"] = altered
    if answer.status != 200:
        detail["problem"] = answer.problem or f"it answers with status {answer.status}"
    state: ServiceState = "Healthy" if answer.status == 200 else "Unhealthy"
    return ObservedService(state, live.key, answer.digest, f"{url(*live.place)}/score", detail)


def _pid(generation: Generation) -> int | None:
    return generation.identity.pid if generation.identity else None


def _wait_until_ready(candidate: Generation, process: Any, spec: ServiceSpec, progress: Progress) -> dict[str, Any]:
    """What the candidate says of itself once it can be asked. Raises: Refusal (MLP8007) where it never can."""
    from mlplan.errors import Refusal

    deadline = time.monotonic() + _START_S
    said = "waiting until it is ready"
    while True:
        exit_code = process.poll()
        status = (candidate.ask({"do": "status"}) if exit_code is None else None) or {}
        if status.get("phase") in ("ready", "live"):
            return status
        if status.get("phase") == "failed":
            raise Refusal([_did_not_start(candidate, spec, str(status.get("error") or "it failed"))])
        if exit_code is not None:
            candidate.wait_for_log()
            reason = "its init() failed" if exit_code == 3 else f"it ended with exit code {exit_code}"
            raise Refusal([_did_not_start(candidate, spec, reason)])
        if time.monotonic() > deadline:
            raise Refusal([_did_not_start(candidate, spec, f"it was not ready after {_START_S:.0f} seconds")])
        said = next(iter(candidate.last_lines(1)), "") or said
        progress("Transitioning", said)
        time.sleep(_POLL_S)


def _did_not_start(candidate: Generation | None, spec: ServiceSpec, reason: str) -> Diagnostic:
    from mlplan.codes import target as codes
    from mlplan.machine.masking import masked

    return codes.MLP8007.diagnostic(
        f"Service {spec.name} did not start: {_last_said(masked(reason, spec.secrets), candidate)}",
        hint="What served before still does. Mend this and run\n    mlplan apply",
    )


def _no_take_over(candidate: Generation, spec: ServiceSpec, answer: dict[str, Any]) -> Diagnostic:
    from mlplan.codes import target as codes

    reason = str(answer.get("error") or "its runtime did not answer")
    return codes.MLP8008.diagnostic(
        f"Service {spec.name} was ready, but could not take over port {spec.port}: {_last_said(reason, candidate)}",
        hint="See what serves now, and try again:\n    mlplan service list\n    mlplan apply",
    )


def _last_said(reason: str, candidate: Generation | None) -> str:
    """The reason in a line, and the last lines of the log, where a traceback stands."""
    lines = candidate.last_lines(_TAIL) if candidate is not None else []
    return with_log(reason.strip().splitlines()[-1].strip(), lines)
