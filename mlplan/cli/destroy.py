"""`mlplan destroy`: removes from the world all that the state records, and says beforehand what is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlplan.cli.apply import ApplyOptions, apply_deletions
from mlplan.cli.asking import confirm
from mlplan.cli.globals import Globals, tell
from mlplan.cli.planning import PlanOptions, addresses, refuse_elsewhere, refuse_protected, show
from mlplan.cli.project import open_project, reading_of
from mlplan.errors import ExitCode
from mlplan.graph import build_graph
from mlplan.kinds.planning import EVERYTHING, Planned, Survey, loss
from mlplan.plan.changes import Plan
from mlplan.plan.make import delete

if TYPE_CHECKING:
    from mlplan.address import Address
    from mlplan.cli.project import Project
    from mlplan.state.records import State


class DestroyOptions(NamedTuple):
    """The options of `mlplan destroy`."""

    yes: bool = False
    only: tuple[str, ...] = ()
    lock_timeout_s: float = 0.0
    format: str = "text"


def run(options: Globals, asked: DestroyOptions) -> ExitCode:
    """Destroys; versions and artifacts stay in the workspace until `mlplan gc`."""
    project = open_project(options)
    state = project.workspace.log.read()
    chosen = addresses(asked.only, state.resources, "mlplan show") if asked.only else frozenset(state.resources)
    planned = plan_deletions(project, state, chosen)
    if planned.plan.is_empty:
        tell("Nothing is recorded, so nothing is to destroy.")
        return ExitCode.OK
    refuse_protected(planned.plan, state)
    refuse_elsewhere(planned.plan.changes, state, planned.survey.reading)
    if asked.format == "text":
        show(planned.plan, "text")
    command = " ".join(["mlplan destroy", *(f"--only {address}" for address in asked.only)])
    if not asked.yes:
        confirm("Destroy all of this?", command)
    applying = ApplyOptions(yes=True, lock_timeout_s=asked.lock_timeout_s, format=asked.format, command=command)
    return apply_deletions(project, planned, PlanOptions(only=asked.only), applying)


def plan_deletions(project: Project, state: State, chosen: frozenset[Address]) -> Planned:
    """A plan that deletes these resources, those that need others first."""
    from mlplan.plan.make import deletion_order

    changes = tuple(
        delete(state.resources[address], loss(state.resources[address], state), cause="destroy")
        for address in deletion_order(chosen)
    )
    plan = Plan(project.manifest.project, state.lineage, state.serial, project.manifest.digest, changes, {})
    survey = Survey(reading_of(project, state), build_graph({}), {}, {}, EVERYTHING)
    return Planned(plan, survey, state, {})
