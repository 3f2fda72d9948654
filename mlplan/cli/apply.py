"""`mlplan apply`: brings the plan about, and says what came of it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from mlplan.apply.converge import not_converged
from mlplan.apply.executor import Ended, Executor
from mlplan.apply.pins import Pins
from mlplan.apply.session import Session
from mlplan.apply.settle import settle, sweep
from mlplan.cli.asking import confirm
from mlplan.cli.globals import Globals, call, tell, typed
from mlplan.cli.interrupts import stop_on_interrupt
from mlplan.cli.planning import PlanOptions, current_state, plan_now, refuse_elsewhere, show, tell_warnings
from mlplan.cli.project import Project, open_project
from mlplan.cli.watching import requests_of, view_of
from mlplan.errors import ExitCode, Refusal
from mlplan.events import ApplyFinished, ApplyStarted, DiagnosticRaised, Emit
from mlplan.kinds.deployment.ports import taken_ports
from mlplan.kinds.effects import PERFORMERS
from mlplan.views.progress import Call

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic
    from mlplan.kinds.planning import Planned
    from mlplan.kinds.protocol import Effects
    from mlplan.plan.changes import Plan
    from mlplan.state.records import State
    from mlplan.views.plan_reading import PlanFile
    from mlplan.workspace.protocols import Holder


class ApplyOptions(NamedTuple):
    """The options of `mlplan apply`."""

    plan_file: str = ""
    yes: bool = False
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    lock_timeout_s: float = 0.0
    format: str = "text"
    command: str = "mlplan apply"  # as it is recorded, and goes on with what is left


def run(options: Globals, asked: ApplyOptions) -> ExitCode:
    """Applies; the exit code tells how it went (DESIGN section 11)."""
    project = open_project(options)
    tell_warnings(project, project.warnings)
    kept = plan_file_of(asked)
    selecting = selecting_of(asked, kept, project.manifest.digest)
    planned = plan_now(project, current_state(project), selecting)
    asked = asked._replace(command=command_of(selecting))
    if kept:
        from mlplan.cli.plan_file import check_plan_file

        check_plan_file(asked.plan_file, kept.plan, planned.plan)
    if planned.plan.is_empty and not planned.state.intents:
        if planned.state.lease is not None:  # left by an apply that was killed at its very end, or held by a live one
            with leased(project, asked.command, asked.lock_timeout_s, threading.Event()):
                pass
        project.workspace.files.save()
        return nothing_to_do(planned.plan, asked.format)
    refuse_elsewhere(planned.plan.changes, planned.state, planned.survey.reading)
    asking = not asked.yes and not asked.plan_file
    if asking or asked.format == "text":
        show(planned.plan, "text")
    tell_warnings(project, taken_ports(planned))
    if asking:
        confirm("Apply these changes?", asked.command, replace=asked.replace)
    return apply_plan(project, planned, selecting, asked)


def plan_file_of(asked: ApplyOptions) -> PlanFile | None:
    """The plan file that was named. Raises: Refusal where it can't be read, or flags say what it says itself."""
    if not asked.plan_file:
        return None
    if asked.only or asked.exclude or asked.replace:
        from mlplan.codes import plan as codes

        detail = f"{asked.plan_file} was made with a selection of its own, or with none."
        raise Refusal([codes.MLP5017.diagnostic(detail, hint="Leave out `--only`, `--exclude` and `--replace`.")])
    from mlplan.cli.plan_file import read_plan_file

    return read_plan_file(asked.plan_file)


def selecting_of(asked: ApplyOptions, kept: PlanFile | None, manifest_digest: str) -> PlanOptions:
    """What is looked at: as the flags say, or as the kept plan was made. One of another manifest is stale anyway."""
    if kept is None:
        return PlanOptions(only=asked.only, exclude=asked.exclude, replace=asked.replace)
    chosen = kept.context.selection
    if chosen is None or kept.plan.manifest_digest != manifest_digest:
        return PlanOptions()
    only, exclude, replace = (tuple(map(str, addresses)) for addresses in chosen)
    return PlanOptions(only=only, exclude=exclude, replace=replace)


def command_of(selecting: PlanOptions) -> str:
    """The command that goes on with a selection. What was to be made anew isn't in it: it may have been."""
    chosen = [f"--only {address}" for address in selecting.only]
    return " ".join(["mlplan apply", *chosen, *(f"--exclude {address}" for address in selecting.exclude)])


def nothing_to_do(plan: Plan, form: str) -> ExitCode:
    """Says so: in words, or as an apply of no changes."""
    if form == "text":
        show(plan, form)
        return ExitCode.OK
    with view_of(form, (), Call()) as emit:
        emit(ApplyStarted(plan.project, plan.serial, 0))
        emit(ApplyFinished(int(ExitCode.OK), 0.0, {}))
    return ExitCode.OK


def apply_plan(project: Project, planned: Planned, selecting: PlanOptions, asked: ApplyOptions) -> ExitCode:
    """Takes the lease and makes the changes. What was shown is what is done: a state that moved on meanwhile is
    planned anew, and refused where that gives more than was shown."""

    survey = planned.survey
    left_out = frozenset(survey.graph.order) - survey.selection.of(survey.graph)

    def prepare(session: Session, effects: Effects) -> Planned:
        if settle(planned, effects, session, left_out) or moved_on(planned.state, session.state):
            return replan(project, planned, selecting, session.state)
        return planned

    return execute(project, planned, prepare, selecting, asked, converge=True)


def apply_deletions(project: Project, planned: Planned, selecting: PlanOptions, asked: ApplyOptions) -> ExitCode:
    """The same for a plan of deletions alone: what the state has open is ended with what it stands for."""

    going = {change.address for change in planned.plan.changes}

    def prepare(session: Session, effects: Effects) -> Planned:
        begun = {intent.address for intent in session.state.intents.values()}
        settle(planned, effects, session, frozenset(begun - going) if selecting.only else frozenset())
        return planned

    return execute(project, planned, prepare, selecting, asked, converge=False)


def execute(
    project: Project,
    planned: Planned,
    prepare: Callable[[Session, Effects], Planned],
    selecting: PlanOptions,
    asked: ApplyOptions,
    *,
    converge: bool,
) -> ExitCode:
    """Makes the changes of a plan under the lease; the exit code tells how it went."""
    stop = threading.Event()
    begun = time.monotonic()
    addresses = [change.address for change in planned.plan.changes if not change.is_quiet]
    called = Call(call(), requests_of(project.manifest), selecting.replace)
    with (
        stop_on_interrupt(stop),
        leased(project, asked.command, asked.lock_timeout_s, stop) as state,
        view_of(asked.format, addresses, called) as emit,
    ):
        session = Session(project.workspace.log, state, asked.command, emit)
        effects = effects_of(project, planned, session, emit, stop)
        planned = prepare(session, effects)
        effects = effects._replace(reading=planned.survey.reading)
        loud = [change for change in planned.plan.changes if not change.is_quiet]
        emit(ApplyStarted(planned.plan.project, session.state.serial, len(loud), typed(asked.command)))
        ended = Executor(planned, PERFORMERS, effects, session, emit).run()
        code = exit_code(ended, stop.is_set())
        left = still_to_do(project, session.state, selecting) if converge and code is ExitCode.OK else []
        if tell_lost(effects, ended, emit):  # asked last: what another one changed meanwhile is no fault of this one
            code = ExitCode.BUSY
        else:
            for problem in left:
                emit(DiagnosticRaised(problem))
                code = ExitCode.NOT_CONVERGED
            sweep(session, effects, computes_of(project))
        project.workspace.files.save()
        counts: Counter[str] = Counter(end.outcome for end in ended)
        emit(ApplyFinished(int(code), time.monotonic() - begun, dict(counts)))
    return code


@contextmanager
def leased(project: Project, command: str, wait_s: float, stop: threading.Event) -> Iterator[State]:
    """Holds the lease; waits for another holder and says so, until `stop` is set. Where the lease is lost, it is set:
    nothing more begins, and what runs is left to whoever holds it now."""
    lease = project.workspace.lease

    def tell_waiting(holder: Holder) -> None:
        tell(f"Waiting for {holder.description}, up to {wait_s:.0f} s.")

    state = lease.take(command=command, wait_s=wait_s, on_wait=tell_waiting, on_lost=stop.set, stopped=stop.is_set)
    try:
        yield state
    finally:
        lease.release(command=command)


def moved_on(planned: State, now: State) -> bool:
    """Whether anything but the taking of the lease (and, before it, the workspace's first commit) came between."""
    return now.serial > planned.serial + (1 if planned.serial else 2)


def replan(project: Project, planned: Planned, selecting: PlanOptions, state: State) -> Planned:
    """The plan on the state as it is under the lease. Raises: Refusal (7) where it asks for more than was shown."""
    now = plan_now(project, state, selecting)
    shown = {change.address: change for change in planned.plan.changes}
    for change in now.plan.changes:
        before = shown.get(change.address)
        calmer = change.is_quiet or change.action == "restore"
        if not calmer and (before is None or before.action != change.action):
            from mlplan.codes import plan as codes

            raise Refusal(
                [
                    codes.MLP5003.diagnostic(
                        f"Somebody else applied in the meantime: {change.address} would now be `{change.action}`, "
                        f"the plan said `{before.action if before else 'nothing'}`.",
                        hint="Look at the plan again:\n    mlplan plan",
                        address=change.address,
                    )
                ],
                ExitCode.STALE,
            )
    return now


def effects_of(project: Project, planned: Planned, session: Session, emit: Emit, stop: threading.Event) -> Effects:
    """What the kinds may use."""
    from mlplan.cli.project import lock_path
    from mlplan.kinds.planning import recorded_lookup
    from mlplan.kinds.protocol import Effects
    from mlplan.kinds.secret_values import secret_value
    from mlplan.workspace.revision import git_revision

    pins = Pins(lock_path(project.manifest), stop)
    return Effects(
        reading=planned.survey.reading,
        home=project.home,
        revision=git_revision(project.manifest.root),
        checkout=project.workspace.named(),
        emit=emit,
        state=lambda: session.state,
        commit=session.commit,
        lock_environment=pins.environment,
        lock_urls=pins.urls,
        secret_value=secret_value,
        known=lambda address: recorded_lookup(session.state)(address),
        stop=stop,
        ensure=project.workspace.lease.ensure,
    )


def tell_lost(effects: Effects, ended: list[Ended], emit: Emit) -> bool:
    """Whether the lease was lost in the meantime. Says so, unless a change ended by it and said so already."""
    try:
        effects.ensure()
    except Refusal as lost:
        told = {diagnostic for end in ended if end.refusal for diagnostic in end.refusal.diagnostics}
        for diagnostic in lost.diagnostics:
            if diagnostic not in told:
                emit(DiagnosticRaised(diagnostic))
        return True
    return False


def exit_code(ended: list[Ended], stopped: bool) -> ExitCode:
    """One code for all ends: interrupted, a bug, a refused gate, in part, failed, or done."""
    codes = [end.refusal.exit_code for end in ended if end.refusal is not None]
    if stopped or ExitCode.INTERRUPTED in codes:
        return ExitCode.INTERRUPTED
    for code in (ExitCode.BUG, ExitCode.BUSY, ExitCode.REFUSED):
        if code in codes:
            return code
    if not codes:
        return ExitCode.OK
    return ExitCode.PARTIAL if any(end.outcome == "done" for end in ended) else ExitCode.FAILED


def still_to_do(project: Project, state: State, selecting: PlanOptions) -> list[Diagnostic]:
    """Plans again in memory: what is left is an error that names the fields."""
    return not_converged(plan_now(project, state, selecting._replace(replace=())).plan)


def computes_of(project: Project) -> list[str]:
    """The names of all declared computes."""
    return [address.name for address in project.manifest.resources if address.kind == "compute"]
