"""What `plan`, `apply` and their like share: the plan on a state, how it is shown, and what stops it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from mlplan.cli.globals import colour_wanted, flush, say, tell, width
from mlplan.cli.project import reading_of
from mlplan.cli.streams import drop_output
from mlplan.errors import ExitCode, Refusal
from mlplan.kinds.deployment.desired import out_of_reach
from mlplan.kinds.planning import plan_project
from mlplan.plan.make import Selection, protected
from mlplan.views.plan_context import NO_CONTEXT, Context

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlplan.address import Address
    from mlplan.cli.project import Project
    from mlplan.diagnostics import Diagnostic
    from mlplan.graph import Graph
    from mlplan.kinds.planning import Planned
    from mlplan.kinds.protocol import Reading
    from mlplan.plan.changes import Change, Plan
    from mlplan.state.records import State


class PlanOptions(NamedTuple):
    """The options of `mlplan plan`."""

    out: str = ""
    detailed_exitcode: bool = False
    refresh: bool = True
    base: str = ""
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    format: str = "text"
    verbose: bool = False
    fail_on: str = ""
    with_state: bool = False


def current_state(project: Project) -> State:
    """The state to plan on. Raises: Refusal MLP4006 where it was moved away, since it says how things were then."""
    state = project.workspace.log.read()
    if state.moved:
        from mlplan.workspace.log import moved

        raise moved(state)
    return state


def plan_now(project: Project, state: State, asked: PlanOptions) -> Planned:
    """The plan on a state. Raises: Refusal where it would delete or replace what is protected."""
    reading = reading_of(project, state)
    known = {*project.manifest.resources, *state.resources}
    try:
        planned = plan_project(reading, selection=selection_of(asked, known), refresh=asked.refresh)
    except Refusal as refusal:
        raise Refusal(refusal.diagnostics, refusal.exit_code, refusal.sources or project.sources) from refusal
    refuse_protected(planned.plan, planned.state)
    return planned


def gate(plan: Plan, state: State, asked: PlanOptions) -> ExitCode:
    """What `plan` ends with. Raises: Refusal (3) naming the changes that `--fail-on` doesn't let pass, or that would
    delete or replace what is protected."""
    refuse_protected(plan, state)
    refuse_impacts(plan, gated_impacts(asked.fail_on))
    if not asked.detailed_exitcode or plan.is_empty:
        return ExitCode.OK
    return ExitCode.DRIFT if plan.drift_alone else ExitCode.CHANGES


def gated_impacts(text: str) -> list[str]:
    """The impacts that `--fail-on` names. Raises: Refusal for one that is none."""
    from mlplan.plan.changes import IMPACTS

    named = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in named if word not in IMPACTS]
    if not unknown:
        return named
    from mlplan.codes import plan as codes
    from mlplan.diagnostics import nearest

    known = ", ".join(IMPACTS)
    problems = []
    for word in unknown:
        near = nearest(word, IMPACTS)
        hint = f'Did you mean "{near}"?' if near else f"The impacts are: {known}."
        problems.append(
            codes.MLP5014.diagnostic(f"`--fail-on {word}`: no change has the impact `{word}`.", hint=hint)
        )
    raise Refusal(problems)


def refuse_impacts(plan: Plan, impacts: list[str]) -> None:
    """Raises: Refusal with exit code 3 where a change has one of these impacts."""
    caught = [change for change in plan.changes if change.impact in impacts]
    if not caught:
        return
    from mlplan.codes import plan as codes

    raise Refusal(
        [
            codes.MLP5015.diagnostic(
                f"{change.address} ({change.action}) has the impact `{change.impact}`, which `--fail-on` stops.",
                hint="Where it is meant, let somebody who may decide it leave that impact out of `--fail-on`.",
                address=change.address,
            )
            for change in caught
        ],
        ExitCode.REFUSED,
    )


def show(
    plan: Plan,
    form: str,
    *,
    verbose: bool = False,
    context: Context = NO_CONTEXT,
    graph: Graph | None = None,
) -> None:
    """The plan on stdout, in the form asked for; what is to follow goes on where nobody reads it. `graph`: for a
    picture. Raises: Unwritten where stdout is full."""
    try:
        say(_shown(plan, form, verbose, context, graph))
        flush()  # a log that takes stdout and stderr has the plan before what is done
    except BrokenPipeError:
        drop_output()


def _shown(plan: Plan, form: str, verbose: bool, context: Context, graph: Graph | None) -> str:
    if form == "text":
        from mlplan.views.plan_text import render

        return render(
            plan, width=width(), colour=colour_wanted(sys.stdout.isatty()), verbose=verbose, context=context
        )
    if form == "json":
        from mlplan.views.plan_json import render as render_json

        return render_json(plan, context=context)
    if form == "markdown":
        from mlplan.views.plan_markdown import render as render_markdown

        return render_markdown(plan, context=context)
    from mlplan.views.plan_html import render as render_html

    return render_html(plan, graph=graph, context=context)


def tell_warnings(project: Project, warnings: Sequence[Diagnostic]) -> None:
    """What is worth a word, on stderr, with the places in the manifest that it speaks of."""
    if warnings:
        from mlplan.cli.problems import tell_problems

        tell_problems(warnings, project.sources)


def tell_notes(notes: Iterable[str]) -> None:
    """What a reader has to know beside the plan, on stderr."""
    for note in notes:
        tell(f"note: {note}.")


def selection_of(asked: PlanOptions, known: Iterable[Address]) -> Selection:
    """The resources named on the command line. Raises: Refusal for an address that nothing has."""
    return Selection(*(addresses(texts, known) for texts in (asked.only, asked.exclude, asked.replace)))


def addresses(
    texts: Iterable[str], known: Iterable[Address], listed_by: str = "mlplan plan --verbose"
) -> frozenset[Address]:
    """The addresses that texts spell. Raises: Refusal naming the nearest one for each that is unknown, or the command
    that lists all that are known."""
    from mlplan.diagnostics import nearest

    by_text = {str(address): address for address in known}
    problems = []
    for text in texts:
        if text not in by_text:
            from mlplan.codes import plan as codes

            near = nearest(text, by_text)
            hint = f'Did you mean "{near}"?' if near else f"See them all:\n    {listed_by}"
            problems.append(codes.MLP5001.diagnostic(f"Nothing has the address `{text}`.", hint=hint))
    if problems:
        raise Refusal(problems)
    return frozenset(by_text[text] for text in texts)


def refuse_elsewhere(changes: Iterable[Change], state: State, reading: Reading) -> None:
    """Raises: Refusal naming each service to be changed that serves from another checkout and can't be reached from
    here, unless it is to be made anew here."""
    problems = []
    for change in changes:
        recorded = state.resources.get(change.address)
        made_anew = change.action == "replace" and any(reason.cause == "forced" for reason in change.reasons)
        if change.is_quiet or recorded is None or made_anew:
            continue
        if away := out_of_reach(recorded, reading.here, reading.target):
            from mlplan.codes import plan as codes

            problems.append(
                codes.MLP5020.diagnostic(
                    f"{change.address} ({change.action}) serves from {away}. From here nobody can reach it.",
                    hint="Do it from there. What can be done from here:\n    mlplan explain MLP5020",
                    address=change.address,
                )
            )
    if problems:
        raise Refusal(problems)


def refuse_protected(plan: Plan, state: State) -> None:
    """Raises: Refusal with exit code 3 where the plan deletes or replaces something that is protected."""
    caught = protected(plan, state)
    if not caught:
        return
    from mlplan.codes import plan as codes

    raise Refusal(
        [
            codes.MLP5002.diagnostic(
                f"{change.address} is protected, and the plan would {change.action} it. {change.loss}",
                hint=f"Leave it as it is, or first apply the manifest with `protect: false` at {change.address}.",
                address=change.address,
            )
            for change in caught
        ],
        ExitCode.REFUSED,
    )
