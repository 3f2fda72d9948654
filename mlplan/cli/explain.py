"""`mlplan explain`: what an error means, or why an address would change."""

from __future__ import annotations

import os
import sys
from itertools import islice
from typing import TYPE_CHECKING

from mlplan.cli.globals import Globals, colour_wanted, say, width
from mlplan.cli.planning import PlanOptions, addresses, plan_now
from mlplan.cli.project import open_project
from mlplan.codes import every_code, lookup, page
from mlplan.codes import plan as codes
from mlplan.diagnostics import nearest
from mlplan.errors import ExitCode, Refusal
from mlplan.workspace.git import last_removed, last_touched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlplan.cli.project import Project
    from mlplan.kinds.planning import Planned
    from mlplan.plan.changes import Change, Reason
    from mlplan.plan.places import Place


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
    places = place_finder(project, planned)
    say(
        render(
            address,
            planned.plan,
            places=places,
            blame=lambda place: blame(root, place),
            read_line=lambda file, line: read_line(root, file, line),
            colour=colour_wanted(sys.stdout.isatty()),
            width=width(),
        )
    )
    return ExitCode.OK


def place_finder(project: Project, planned: Planned) -> Callable[[Reason, Change], list[Place]]:
    """Finds where the reasons of a plan were written."""
    from mlplan.manifest.written import written
    from mlplan.plan.places import places_of

    manifest = project.manifest
    with open(os.path.join(manifest.root, manifest.file), "rb") as stream:
        found = written(stream.read(), manifest.file, manifest.profile)
    assert found is not None  # it was loaded a moment ago

    def files(change: Change, reason: Reason) -> Sequence[str]:
        return files_of(change, reason, planned, manifest.root)

    return lambda reason, change: places_of(reason, change, manifest, found, files)


def files_of(change: Change, reason: Reason, planned: Planned, root: str) -> list[str]:
    """The files that a reason speaks of, relative to the project's folder."""
    subject = reason.subject
    spec = planned.survey.reading.manifest.resources[change.address].spec
    if change.address.kind == "dataset" and subject == "content":
        from mlplan.kinds.dataset.desired import changed_files

        found = changed_files(change.address, planned.survey.facts[change.address], planned.survey.reading)
        return [os.path.relpath(path, root) for path in found]
    if change.address.kind == "model" and subject == "model bytes" and spec.get("file"):
        return [str(spec["file"])]
    if subject == "locked packages":
        return ["mlplan.lock"] if os.path.isfile(os.path.join(root, "mlplan.lock")) else []
    if subject.startswith("test request "):
        return [subject.removeprefix("test request ")]
    environment = spec.get("environment") or {}
    if subject.startswith(("package ", "python")) and environment.get("file"):
        return [str(environment["file"])]
    part = change.after.get(subject) or change.before.get(subject)
    source = str(spec.get("source") or "")
    is_code = change.address.kind in ("run", "inference") and part is not None and part.value is None
    return [subject] if is_code and (source == "." or subject.startswith(f"{source.rstrip('/')}/")) else []


def blame(root: str, place: Place) -> str:
    """Who wrote, or removed, what stands at a place; "" where nobody can say."""
    if not place.file:
        return ""
    return last_removed(root, place.file, place.gone) if place.gone else last_touched(root, place.file, place.line)


def read_line(root: str, file: str, number: int) -> str:
    """One line of a file, from 1."""
    with open(os.path.join(root, file), encoding="utf-8") as stream:
        return next(islice(stream, number - 1, None), "")


def explain_code(code: str) -> ExitCode:
    """Prints the page of a diagnostic code."""
    from mlplan.views.explain import page_text

    entry = lookup(code)
    if entry is None:
        near = nearest(code, (known.code for known in every_code()))
        hint = f'Did you mean "{near}"?' if near else "Name one that a message of mlplan has in its first line."
        raise Refusal([codes.MLP5001.diagnostic(f"No diagnostic has the code `{code}`.", hint=hint)])
    title = f"{entry.code}: {entry.summary} ({entry.severity}, since {entry.since})"
    say(f"{title}\n\n{page_text(page(code), min(width(), 110))}")
    return ExitCode.OK
