"""`mlplan plan`: what an apply would do, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.cli.globals import job_url
from mlplan.cli.planning import PlanOptions, current_state, gate, gated_impacts, plan_now, show, tell_warnings
from mlplan.cli.project import open_project
from mlplan.views.plan_context import Context

if TYPE_CHECKING:
    from mlplan.cli.globals import Globals
    from mlplan.errors import ExitCode

__all__ = ["PlanOptions", "run"]


def run(options: Globals, asked: PlanOptions) -> ExitCode:
    """Shows the plan; 0, or with --detailed-exitcode 2 for changes and 5 for drift alone."""
    gated_impacts(asked.fail_on)
    if asked.base and not asked.with_state:
        from mlplan.cli.plan_base import run_base

        return run_base(options, asked)
    project = open_project(options)
    planned = plan_now(project, current_state(project), asked)
    selection = planned.survey.selection
    context = Context(complete=not (asked.only or asked.exclude), full_text=job_url(), selection=selection)
    if asked.base:
        from mlplan.cli.plan_base import attributed

        context = attributed(planned.plan, context, options, asked)
    show(planned.plan, asked.format, verbose=asked.verbose, context=context, graph=planned.survey.graph)
    tell_warnings(project)
    project.workspace.files.save()
    if asked.out:
        from mlplan.cli.plan_file import write_plan_file

        write_plan_file(
            asked.out, planned.plan, context, lambda: plan_now(project, planned.survey.reading.state, asked).plan
        )
    return gate(planned.plan, planned.state, asked)
