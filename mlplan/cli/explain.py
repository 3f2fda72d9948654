"""`mlplan explain`: what an error means, or why an address would change."""

from __future__ import annotations

import os
import sys
from itertools import islice

from mlplan.cli.globals import Globals, colour_wanted, say, width
from mlplan.cli.plan import PlanOptions, addresses, plan_now
from mlplan.cli.project import open_project
from mlplan.codes import every_code, lookup, page
from mlplan.codes import plan as codes
from mlplan.diagnostics import nearest
from mlplan.errors import ExitCode, Refusal
from mlplan.workspace.git import last_touched


def run(options: Globals, what: str) -> ExitCode:
    """Prints the page of a code, or the chain of causes of an address."""
    if what.upper().startswith("MLP"):
        return explain_code(what.upper())
    from mlplan.views.explain import render

    project = open_project(options)
    state = project.workspace.log.read()
    (address,) = addresses([what], {*project.manifest.resources, *state.resources})
    planned = plan_now(project, state, PlanOptions())
    root = project.manifest.root
    say(
        render(
            address,
            planned.plan,
            project.manifest,
            blame=lambda file, line: last_touched(root, file, line),
            read_line=lambda file, line: read_line(root, file, line),
            colour=colour_wanted(sys.stdout.isatty()),
            width=width(),
        )
    )
    return ExitCode.OK


def read_line(root: str, file: str, number: int) -> str:
    """One line of a file, from 1."""
    with open(os.path.join(root, file), encoding="utf-8") as stream:
        return next(islice(stream, number - 1, None), "")


def explain_code(code: str) -> ExitCode:
    """Prints the page of a diagnostic code."""
    entry = lookup(code)
    if entry is None:
        near = nearest(code, (known.code for known in every_code()))
        hint = f'Did you mean "{near}"?' if near else ""
        raise Refusal([codes.MLP5001.diagnostic(f"No diagnostic has the code `{code}`.", hint=hint)])
    say(f"{entry.code}: {entry.summary} ({entry.severity}, since {entry.since})\n\n{page(code)}")
    return ExitCode.OK
