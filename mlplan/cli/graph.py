"""`mlplan graph`: which resource needs which, and what would change."""

from __future__ import annotations

from mlplan.cli.globals import Globals, say
from mlplan.cli.planning import PlanOptions, plan_now
from mlplan.cli.project import open_project
from mlplan.errors import ExitCode


def run(options: Globals, form: str) -> ExitCode:
    """Draws it as SVG, DOT or Mermaid."""
    from mlplan.views.graph import draw

    project = open_project(options)
    planned = plan_now(project, project.workspace.log.read(), PlanOptions())
    graph = planned.survey.graph
    actions = {change.address: change.action for change in planned.plan.changes}
    say(draw(graph, actions, form=form))
    return ExitCode.OK
