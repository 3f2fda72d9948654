"""`mlplan unlock`: the manual way out of a lease whose holder is gone."""

from __future__ import annotations

from mlplan.cli.asking import confirm
from mlplan.cli.globals import Globals, tell, typed
from mlplan.cli.project import open_project
from mlplan.errors import ExitCode


def run(options: Globals, yes: bool) -> ExitCode:
    """Says who holds the workspace and what breaking the lease means, asks, and breaks it."""
    project = open_project(options)
    lease = project.workspace.lease
    holder = lease.holder()
    if holder is None:
        tell("Nobody holds the workspace.")
        return ExitCode.OK
    tell(f"The workspace is held by {holder.description}.")
    tell(_what_it_means(holder.alive, holder.age_s))
    if not yes:
        confirm("Break its lease?", "mlplan unlock")
    if not lease.break_(holder, command="mlplan unlock"):
        tell("It was given back, or taken by another, in the meantime. Look again:\n    " + typed("mlplan unlock"))
        return ExitCode.FAILED
    tell("The lease is broken. The next apply settles what was left open.")
    return ExitCode.OK


def _what_it_means(alive: bool | None, age_s: float) -> str:
    seen = f"It last showed life {age_s:.0f} s ago."
    if alive:
        return f"{seen} That process is running: it will find its next commit refused, and stop."
    if alive is None:
        return f"{seen} Whether it still runs can't be told from here; if it does, its next commit is refused."
    return f"{seen} That process is gone; the next apply would take over by itself."
