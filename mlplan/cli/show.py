"""`mlplan show` and `mlplan history`: the state and the log; `show FILE`, a saved plan."""

from __future__ import annotations

import os
import time

from mlplan.cli.globals import Globals, say
from mlplan.cli.planning import addresses, show, tell_notes
from mlplan.cli.project import open_records
from mlplan.errors import ExitCode


def run(options: Globals, what: str, form: str) -> ExitCode:
    """All that is recorded, one resource in full, or a plan file."""
    if what and os.path.isfile(what):
        from mlplan.cli.plan_file import read_plan_file

        kept = read_plan_file(what)
        tell_notes(kept.context.notes)
        show(kept.plan, form, context=kept.context)
        return ExitCode.OK
    from mlplan.views.records import resource, state_overview

    state = open_records(options).workspace.log.read()
    if not what:
        say(state_overview(state, form=form))
        return ExitCode.OK
    (address,) = addresses([what], state.resources, "mlplan show")
    say(resource(state.resources[address], form=form))
    return ExitCode.OK


def history(options: Globals, limit: int, form: str) -> ExitCode:
    """Who changed what, when, from which revision; the newest first."""
    from mlplan.views.history import history as view

    log = open_records(options).workspace.log
    commits = list(log.commits())
    say(view(commits[::-1], form=form, limit=limit, now=time.time()))
    return ExitCode.OK
