"""A run, applied: executed by its target, or restored from outputs that are kept."""

from __future__ import annotations

import os
import re
import threading
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from mlplan.codes import apply as codes
from mlplan.errors import ExitCode, Refusal
from mlplan.events import DiagnosticRaised, OutputLine, StageReached
from mlplan.kinds.environment import locked_environment
from mlplan.kinds.keeping import telling
from mlplan.kinds.placing import refuse_errors
from mlplan.kinds.protocol import Performed, Unfinished
from mlplan.kinds.run.job import job_spec
from mlplan.plan.decide import run_outputs
from mlplan.state.entries import RunEnded
from mlplan.state.records import RunRecord
from mlplan.tracking.metrics import read_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlplan.address import Address
    from mlplan.json_types import Json
    from mlplan.kinds.protocol import Attempt, Effects
    from mlplan.kinds.run.desired import Facts
    from mlplan.manifest.resolved import Resource
    from mlplan.plan.changes import Change
    from mlplan.state.records import Recorded, RunStatus
    from mlplan.targets.protocols import Jobs, JobSpec
    from mlplan.world import ObservedJob

Taken = TypeVar("Taken")

UNFIT = frozenset({"MLP4203", "MLP4204", "MLP4205", "MLP8006"})
"""What is wrong with outputs that can never be taken: links out of them, unreadable files, metrics that are none."""

MISSING_MODULE = re.compile(r"ModuleNotFoundError: No module named '(\w+)")
"""How Python ends a script that imports what isn't there."""

GRACE_S = 10.0
"""How long a script that is asked to end may take."""
STOP_POLL_S = 0.1
"""How soon a wish to stop is noticed."""


def prepare(resource: Resource, facts: Facts, effects: Effects) -> Facts:
    """Pins its packages, where `mlplan.lock` doesn't have them yet."""
    return facts._replace(environment=locked_environment(facts.environment, effects))


def perform(resource: Resource, facts: Facts, change: Change, attempt: Attempt, effects: Effects) -> Performed:
    """Restores, relabels or runs. Raises: Refusal for a run that fails; its logs are kept all the same."""
    state = effects.state()
    if change.action == "update":
        recorded = state.resources[resource.address]
        return Performed(recorded.outputs)
    if change.action == "restore":
        kept = state.kept_run(resource.address, attempt.fingerprint)
        if kept is not None:
            return Performed(run_outputs(kept))
    record = _execute(resource, facts, attempt, effects)
    if record.status != "Completed":
        raise RunFailed(record, resource, effects)
    return Performed(run_outputs(record), (RunEnded(record),))


class RunFailed(Refusal):
    """A run that did not complete. The executor records it as ended before it reports the failure."""

    def __init__(self, record: RunRecord, resource: Resource, effects: Effects) -> None:
        self.entries = (RunEnded(record),)
        self.log_tail = log_tail(record, effects)
        canceled = record.status == "Canceled"
        code = codes.MLP7022 if canceled else codes.MLP7020
        super().__init__(
            [
                code.diagnostic(
                    f"{record.address} {_how_it_ended(record, resource)}.",
                    hint=_how_to_go_on(record, self.log_tail),
                    address=record.address,
                )
            ],
            ExitCode.INTERRUPTED if canceled else ExitCode.FAILED,
        )


def _how_to_go_on(record: RunRecord, printed: tuple[str, ...]) -> str:
    if _left_unfit(record):
        return "Mend what its script leaves: run as it is, it would end so again. Then go on with\n    mlplan apply"
    if not printed:
        return "It printed nothing. Go on with\n    mlplan apply"
    log = f"Its whole log:\n    mlplan run logs {record.address.name}\nThen go on with\n    mlplan apply"
    missing = MISSING_MODULE.match(printed[-1])
    return f"{_how_to_name(missing[1])}\n{log}" if missing else log


def _how_to_name(module: str) -> str:
    return (
        f"Its environment has no module `{module}`. Name the package that has it in the run:\n"
        f"    environment: {{packages: [{module}]}}"
    )


def _how_it_ended(record: RunRecord, resource: Resource) -> str:
    if record.status == "Canceled":
        return "was canceled"
    if _left_unfit(record):
        return f"completed, but what it left can't be taken: {record.ended_by.rstrip('.')}"
    if record.ended_by == "timeout":
        return f"was ended: it took longer than its `timeout: {resource.spec['timeout']}` allows"
    if record.ended_by:
        return f"was ended: {record.ended_by}{_memory_limit(resource)}"
    if record.exit_code is None:
        return "ended without telling how: its supervisor is gone (was the machine restarted?)"
    if record.exit_code < 0:
        return f"was ended by signal {-record.exit_code}"
    return f"failed with exit code {record.exit_code}"


def _left_unfit(record: RunRecord) -> bool:
    """Whether it failed by what it left alone. One whose time is up can exit with 0, too."""
    return record.exit_code == 0 and record.ended_by not in ("", "timeout", "out of memory")


def _memory_limit(resource: Resource) -> str:
    limit = (resource.spec.get("resources") or {}).get("memory")
    return f", with `memory: {limit}` as its limit" if limit else ""


def _execute(resource: Resource, facts: Facts, attempt: Attempt, effects: Effects) -> RunRecord:
    """Runs it to its end on its target, or attaches to it where it is running already, and keeps what it leaves."""
    jobs = effects.reading.target(resource.spec["compute"]).jobs
    spec = job_spec(resource, facts, attempt, effects)

    def on_progress(stage: str, detail: str) -> None:
        effects.emit(StageReached(resource.address, stage, detail))
        if stage != "Running":
            effects.ensure()
            if effects.stop.is_set():
                text = f"{resource.address} was not started: the apply was asked to stop."
                raise Refusal([codes.MLP7003.diagnostic(text, address=resource.address)], ExitCode.INTERRUPTED)

    # "Preparing" is another process that is about to start it, or died before it could: submitting waits for it.
    if jobs.observe(spec.key).state in ("Absent", "Preparing"):
        warnings = refuse_errors(jobs.check(spec))
        for warning in warnings:
            effects.emit(DiagnosticRaised(warning))
        jobs.submit(spec, on_progress)
    else:
        effects.emit(StageReached(resource.address, "Running", "begun by an earlier apply"))
    _follow(resource.address, jobs, spec, effects)
    effects.emit(StageReached(resource.address, "Finalizing"))
    return keep(resource.address, jobs, spec.key, spec.id, attempt.fingerprint, attempt.number, effects)


def _follow(address: Address, jobs: Jobs, spec: JobSpec, effects: Effects) -> None:
    """Passes the job's output on until it ends; ends it when the user asks to stop.

    Raises: Unfinished where the lease was lost: the job is left alone then, since it may be another apply's by now.
    """
    followed: Future[None] = Future()

    def pass_on() -> None:
        try:
            for line in jobs.logs(spec.key, follow=True):
                effects.emit(OutputLine(address, line))
            followed.set_result(None)
        except BaseException as error:
            followed.set_exception(error)

    threading.Thread(target=pass_on, name=f"follow {spec.id}", daemon=True).start()
    while not wait([followed], timeout=STOP_POLL_S).done:
        if effects.stop.is_set():
            try:
                effects.ensure()
            except Refusal as lost:
                raise _left_running(address, spec, lost) from lost
            jobs.cancel(spec.key, grace_s=GRACE_S)
            break
    followed.result()


def _left_running(address: Address, spec: JobSpec, lost: Refusal) -> Unfinished:
    detail = f"{address} ({spec.id}) goes on by itself: this apply has lost the workspace, and waits for it no more."
    printed = f"once the workspace can be reached:\n    mlplan run logs {address.name} --follow"
    hint = f"what it prints, {printed}\nThe next apply here takes what it leaves."
    return Unfinished([codes.MLP7024.diagnostic(detail, hint=hint, address=address)], lost.exit_code)


def keep(
    address: Address, jobs: Jobs, key: str, run_id: str, fingerprint: str, number: int, effects: Effects
) -> RunRecord:
    """The record of an ended job, its outputs and logs kept as artifacts. The job itself is left as it is.

    Outputs or metrics that can't be taken as they are make the run a failed one. Raises: Unfinished where the
    workspace can't take them now, for want of room say: the job still has them, and the next apply tries again.
    """
    seen = jobs.observe(key)
    try:
        folders = jobs.collect(key)
    except OSError as error:
        detail = f"{address} has ended, and what it left can't be taken now: {error}."
        raise Unfinished([codes.MLP7023.diagnostic(detail, address=address)]) from error
    artifacts = effects.reading.artifacts
    status = status_of(seen)
    ended_by = "timeout" if seen.timed_out else "out of memory" if seen.out_of_memory else ""
    told = telling(address, _size_of(folders.outputs), effects)
    outputs, problem = _taken(
        lambda: artifacts.put_folder(folders.outputs, on_bytes=told.on_bytes, on_sent=told.on_sent).digest
    )
    logs, _ = _taken(lambda: artifacts.put_folder(folders.logs).digest)
    metrics: Mapping[str, Json] | None = {}
    if status == "Completed" and not problem:
        metrics, problem = _taken(lambda: read_metrics(folders.outputs))
    if status == "Completed" and problem:
        status, ended_by = "Failed", problem
    return RunRecord(
        id=run_id,
        address=address,
        fingerprint=fingerprint,
        attempt=number,
        status=status,
        started=seen.started,
        duration_s=seen.duration_s,
        peak_memory_bytes=seen.peak_memory_bytes,
        exit_code=seen.exit_code,
        outputs=outputs,
        logs=logs,
        metrics=metrics or {},
        serial=0,  # the fold sets it
        ended_by=ended_by,
    )


def _size_of(folder: str) -> int:
    """How many bytes a folder's files hold. What can't be looked at is left to who reads it."""
    found = 0
    for below, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                found += os.stat(os.path.join(below, name)).st_size
    return found


def _taken(take: Callable[[], Taken]) -> tuple[Taken | None, str]:
    """What a job left and "", or None and what is wrong with it. Raises: Unfinished where nothing is wrong with it,
    but it can't be taken now."""
    try:
        return take(), ""
    except Refusal as refusal:
        wrong = [diagnostic.detail for diagnostic in refusal.diagnostics if diagnostic.code in UNFIT]
        if not wrong:
            raise Unfinished(refusal.diagnostics, refusal.exit_code) from refusal
        return None, wrong[0]


def status_of(seen: ObservedJob) -> RunStatus:
    """How an ended job counts."""
    if seen.canceled:
        return "Canceled"
    return "Completed" if seen.exit_code == 0 and not seen.timed_out else "Failed"


def log_tail(record: RunRecord, effects: Effects, lines: int = 20) -> tuple[str, ...]:
    """The last lines of a run's kept log."""
    if record.logs is None:
        return ()
    text = effects.reading.artifacts.read_bytes(record.logs, "std_log.txt").decode(errors="replace")
    return tuple(text.splitlines()[-lines:])


def remove(recorded: Recorded, effects: Effects) -> None:
    """Nothing stands in the world for an ended run: its record and outputs stay in the workspace."""
