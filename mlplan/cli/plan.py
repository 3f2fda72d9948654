"""`mlplan plan`: what an apply would do, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.cli.globals import job_url, tell
from mlplan.cli.planning import PlanOptions, current_state, gate, gated_impacts, plan_now, show, tell_warnings
from mlplan.cli.project import open_project
from mlplan.errors import Refusal
from mlplan.kinds.deployment.ports import taken_ports
from mlplan.views.plan_context import Context

if TYPE_CHECKING:
    from mlplan.cli.globals import Globals
    from mlplan.cli.project import Project
    from mlplan.errors import ExitCode
    from mlplan.kinds.planning import Planned

__all__ = ["PlanOptions", "run"]


def run(options: Globals, asked: PlanOptions) -> ExitCode:
    """Shows the plan; 0, or with --detailed-exitcode 2 for changes and 5 for drift alone."""
    gated_impacts(asked.fail_on)
    if asked.base and not asked.with_state:
        from mlplan.cli.plan_base import run_base

        return run_base(options, asked)
    project = open_project(options)
    planned = _planned(project, asked)
    selection = planned.survey.selection
    context = Context(complete=not (asked.only or asked.exclude), full_text=job_url(), selection=selection)
    if asked.base:
        from mlplan.cli.plan_base import attributed

        context = attributed(planned.plan, context, options, asked)
    show(planned.plan, asked.format, verbose=asked.verbose, context=context, graph=planned.survey.graph)
    if not asked.refresh:
        tell("What is really there was not asked.")
    tell_warnings(project, [*project.warnings, *(taken_ports(planned) if asked.refresh else ())])
    project.workspace.files.save()
    if asked.out:
        from mlplan.cli.plan_file import write_plan_file

        write_plan_file(
            asked.out, planned.plan, context, lambda: plan_now(project, planned.survey.reading.state, asked).plan
        )
    return gate(planned.plan, planned.state, asked)


def _planned(project: Project, asked: PlanOptions) -> Planned:
    """The plan on the state as it is now. Raises: Refusal, which names the way without asking a target that can't be
    asked."""
    try:
        return plan_now(project, current_state(project), asked)
    except Refusal as refusal:
        if not asked.refresh:
            raise
        without = "\nOr plan on what is recorded, without asking it:\n    mlplan plan --no-refresh"
        hinted = [
            found._replace(hint=found.hint + without) if found.code.startswith("MLP8") else found
            for found in refusal.diagnostics
        ]
        raise Refusal(hinted, refusal.exit_code, refusal.sources) from refusal
