"""`mlplan gc`: removes what nothing refers to any more."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from mlplan.cli.apply import computes_of, leased
from mlplan.cli.asking import confirm
from mlplan.cli.globals import Globals, tell
from mlplan.cli.project import Project, open_project, target_opener
from mlplan.errors import ExitCode, Refusal
from mlplan.kinds.deployment.collected import forget, forgotten
from mlplan.kinds.deployment.desired import host_of
from mlplan.kinds.elsewhere import elsewhere
from mlplan.state.entries import Collected
from mlplan.state.kept import forgotten_versions, kept_trees
from mlplan.views.values import counted, size_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlplan.state.records import Recorded, State
    from mlplan.targets.protocols import Services, Target

COMMAND = "mlplan gc"


def run(options: Globals, yes: bool) -> ExitCode:
    """Says what would go, asks, and removes it under the lease: what the state says then decides."""
    project = open_project(options)
    workspace = project.workspace
    state = workspace.log.read()
    garbage = workspace.artifacts.garbage(kept_trees(state))
    unused = unused_on_targets(project, state)
    records = forgotten_records(project, state)
    stayed = stayed_behind(project, state)
    if not garbage.digests and not unused and not records and not stayed:
        tell("Nothing to remove: everything kept is referred to.")
        return ExitCode.OK
    tell(f"To remove: {counted(len(garbage.digests), 'artifact')}, {size_text(garbage.size)}.")
    for address, version in forgotten_versions(state):
        tell(f"  {address.kind} {address.name}:{version.number}, which nothing declares or serves any more")
    for thing in dict.fromkeys(thing for _, things in unused for thing in things):
        tell(f"  {thing}, which nothing uses")
    for name, size in records.items():
        tell(f"  what deployment.{name}, which is no more, kept of its requests: {size_text(size)}")
    for recorded in stayed:
        away = elsewhere(recorded.outputs, workspace.here)
        tell(f"  what {recorded.address} left here: it serves from {away} now")
    if not yes:
        confirm("Remove them for good?", COMMAND)
    with leased(project, COMMAND, 0.0, threading.Event()) as state:
        garbage = workspace.artifacts.garbage(kept_trees(state))
        if garbage.digests:
            # Recorded first: a reader then knows why an artifact is gone, and a crash leaves only more to remove.
            workspace.log.append(state, (Collected(garbage.digests),), command=COMMAND)
            workspace.artifacts.remove(garbage)
        for recorded in stayed_behind(project, state):
            services_here(project, state, recorded).delete(recorded.address.name)
        for target, _ in unused:
            target.clear()
        for name in forgotten_records(project, state).keys() & records.keys():
            forget(project.home, name)
    tell(f"Removed {counted(len(garbage.digests), 'artifact')}, {size_text(garbage.size)}.")
    return ExitCode.OK


def stayed_behind(project: Project, state: State) -> list[Recorded]:
    """Services that serve from another checkout by now, and of which something is left here."""
    here = project.workspace.here
    away = [r for r in state.resources.values() if r.address.kind == "deployment" and elsewhere(r.outputs, here)]
    return [recorded for recorded in away if _is_another(services_here(project, state, recorded), recorded)]


def _is_another(services: Services, recorded: Recorded) -> bool:
    """Whether a service has the name of a recorded one and is another one."""
    name = recorded.address.name
    return name in services.names() and services.observe(name).key != recorded.outputs["key"]


def services_here(project: Project, state: State, recorded: Recorded) -> Services:
    """The services of this checkout on the target that a deployment is on."""
    return host_of(recorded, target_opener(project, state))


def forgotten_records(project: Project, state: State) -> Mapping[str, int]:
    """What is kept on this machine of the requests to services that are no more: bytes by their names."""
    begun = [intent.address for intent in state.intents.values()]
    known = {address.name for address in (*state.resources, *begun) if address.kind == "deployment"}
    return forgotten(project.home, known)


def unused_on_targets(project: Project, state: State) -> list[tuple[Target, Sequence[str]]]:
    """The targets that keep something nothing uses, and what that is. One that can't be asked keeps it."""
    found: list[tuple[Target, Sequence[str]]] = []
    open_target = target_opener(project, state)
    for compute in computes_of(project):
        target = open_target(compute)
        try:
            found.append((target, target.unused()))
        except Refusal as refusal:
            tell(f"What {compute} keeps stays: {refusal.diagnostics[0].detail}")
    return [(target, things) for target, things in found if things]
