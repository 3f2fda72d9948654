"""`mlplan gc`: removes what nothing refers to any more."""

from __future__ import annotations

import threading

from mlplan.cli.apply import confirm, leased
from mlplan.cli.globals import Globals, tell
from mlplan.cli.project import open_project
from mlplan.errors import ExitCode
from mlplan.state.entries import Collected
from mlplan.state.kept import forgotten_versions, kept_trees
from mlplan.views.words import size_text

COMMAND = "mlplan gc"


def run(options: Globals, yes: bool) -> ExitCode:
    """Says what would go, asks, and removes it under the lease: what the state says then decides."""
    project = open_project(options)
    workspace = project.workspace
    state = workspace.log.read()
    garbage = workspace.artifacts.garbage(kept_trees(state))
    if not garbage.digests:
        tell("Nothing to remove: everything kept is referred to.")
        return ExitCode.OK
    tell(f"To remove: {len(garbage.digests)} artifacts, {size_text(garbage.size)}.")
    for address, version in forgotten_versions(state):
        tell(f"  {address.kind} {address.name}:{version.number}, which nothing declares or serves any more")
    if not yes:
        confirm("Remove them for good?")
    with leased(project, COMMAND, 0.0, threading.Event()) as state:
        garbage = workspace.artifacts.garbage(kept_trees(state))
        # Recorded first: a reader then knows why an artifact is gone, and a crash leaves only more to remove.
        workspace.log.append(state, (Collected(garbage.digests),), command=COMMAND)
        workspace.artifacts.remove(garbage)
    tell(f"Removed {len(garbage.digests)} artifacts, {size_text(garbage.size)}.")
    return ExitCode.OK
