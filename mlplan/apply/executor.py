"""Makes the changes of a plan: each after what it needs, side by side where the graph allows.

For each change: facts completed -> the plan's decision made again -> intent committed -> effect -> result committed.
What a change comes to may be less than was planned (what it waited for came out as it was), never more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.address import Address
from mlplan.apply.attempts import HAVE_EFFECTS, STAND_IN_THE_WORLD, attempt_of
from mlplan.apply.settle import settle_others
from mlplan.codes import apply as codes
from mlplan.errors import ExitCode, Refusal, bug
from mlplan.events import ChangeFinished, ChangeStarted, DiagnosticRaised, Outcome, StageReached
from mlplan.kinds.planning import recorded_lookup
from mlplan.kinds.protocol import Unfinished
from mlplan.plan.changes import ACTIONS, Change
from mlplan.state.entries import (
    Entry,
    IntentClosed,
    IntentOpened,
    ResourceMoved,
    ResourceRecorded,
    ResourceRemoved,
)

if TYPE_CHECKING:
    from mlplan.apply.session import Session
    from mlplan.events import Emit
    from mlplan.graph import Graph
    from mlplan.json_types import Json
    from mlplan.kinds.planning import Planned
    from mlplan.kinds.protocol import Attempt, Effects, Performer
    from mlplan.state.entries import Outcome as IntentOutcome

AT_ONCE = 32
"""How many changes are worked on side by side at most; how many runs, each compute's `max_nodes` says."""


WAKE_S = 0.5
REFUSED: Mapping[ExitCode, Outcome] = {ExitCode.INTERRUPTED: "canceled", ExitCode.BUSY: "unknown"}
"""How a change ended that was refused with these codes. Where another apply is at it, only that one knows."""


class Ended(NamedTuple):
    """How one change ended."""

    change: Change
    outcome: Outcome
    refusal: Refusal | None = None


class Executor:
    """One execution of one plan."""

    def __init__(
        self, planned: Planned, performers: Mapping[str, Performer], effects: Effects, session: Session, emit: Emit
    ) -> None:
        self._planned = planned
        self._performers = performers
        self._effects = effects
        self._session = session
        self._emit = emit
        self._facts: dict[Address, Any] = dict(planned.survey.facts)
        self._slots = _slots(planned)

    def run(self) -> list[Ended]:
        """Makes all changes; the ends in the order of the plan. Once `effects.stop` is set, what runs is ended in
        order and nothing else begins."""
        self._commit_moves()
        loud = [change for change in self._planned.plan.changes if not change.is_quiet]
        needs = order_of(loud, self._planned.survey.graph)
        ended: dict[Address, Ended] = {}
        running: dict[Future[Ended], Address] = {}
        waiting = {change.address: change for change in loud}
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="apply") as pool:
            while waiting or running:
                for change in self._ready(waiting, needs, ended):
                    del waiting[change.address]
                    running[pool.submit(self._one, change)] = change.address
                # With a time limit: a signal that the system gives to another thread is acted on when this one wakes.
                for done in wait(running, timeout=WAKE_S, return_when=FIRST_COMPLETED).done:
                    ended[running.pop(done)] = done.result()
        return [ended[change.address] for change in loud]

    def _ready(
        self, waiting: dict[Address, Change], needs: Mapping[Address, set[Address]], ended: dict[Address, Ended]
    ) -> list[Change]:
        """The waiting changes whose needs are met. Those that can't start any more are ended as such."""
        ready = []
        for address, change in list(waiting.items()):
            before = [ended.get(need) for need in needs[address]]
            failed = any(end is not None and end.outcome not in ("done", "dropped") for end in before)
            if (failed and change.action != "delete") or self._effects.stop.is_set():
                del waiting[address]
                ended[address] = Ended(change, "not-started")
                self._emit(ChangeFinished(address, change.action, "not-started", 0.0, {}))
            elif all(end is not None for end in before):
                ready.append(change)
        return ready

    def _one(self, planned: Change) -> Ended:
        """Makes one change. Never raises: a Refusal is how it ended, anything else is a bug that is told as one."""
        begun = time.monotonic()
        self._emit(ChangeStarted(planned.address, planned.action))
        try:
            with self._slot(planned):
                outcome = self._remove(planned) if planned.action == "delete" else self._make(planned)
            end = Ended(planned, outcome)
        except Refusal as refusal:
            end = Ended(planned, REFUSED.get(refusal.exit_code, "failed"), refusal)
        except Exception as error:
            end = Ended(planned, "unknown", _bug(planned, error))
        for diagnostic in end.refusal.diagnostics if end.refusal else ():
            self._emit(DiagnosticRaised(diagnostic))
        recorded = self._session.state.resources.get(planned.address)
        done = recorded is not None and end.outcome in ("done", "dropped")
        outputs = recorded.outputs if recorded and done else getattr(end.refusal, "outputs", {})
        tail = getattr(end.refusal, "log_tail", ())
        elapsed = time.monotonic() - begun
        self._emit(ChangeFinished(planned.address, planned.action, end.outcome, elapsed, outputs, tail))
        return end

    def _make(self, planned: Change) -> Outcome:
        address = planned.address
        survey = self._planned.survey
        resource = survey.reading.manifest.resources[address]
        performer = self._performers[address.kind]
        facts = self._facts[address] = performer.prepare(resource, self._facts[address], self._effects)
        lookup = recorded_lookup(self._session.state)
        change = survey._replace(facts=self._facts).decide(address, lookup, self._session.state)
        if address in self._planned.moved and change.is_quiet:
            change = change._replace(action="update")
        _check_refines(change, planned)
        if change.is_quiet:
            return "dropped"
        attempt = attempt_of(change, self._session.state, survey.reading.manifest.project)
        settle_others(address, attempt.key, self._effects, self._session)
        with self._intent(change, attempt):
            performed = performer.perform(resource, facts, change, attempt, self._effects)
            protect = bool(resource.spec.get("protect"))
            recorded = ResourceRecorded(address, change.after, performed.outputs, protect)
            self._session.commit((*performed.entries, recorded, *self._close_all(address)))
        return "done"

    def _remove(self, change: Change) -> Outcome:
        address = change.address
        recorded = self._session.state.resources[address]
        attempt = attempt_of(change._replace(after=change.before), self._session.state, self._planned.plan.project)
        with self._intent(change, attempt):
            self._performers[address.kind].remove(recorded, self._effects)
            self._session.commit((ResourceRemoved(address), *self._close_all(address)))
        return "done"

    @contextmanager
    def _intent(self, change: Change, attempt: Attempt) -> Iterator[None]:
        """The intent stands in the log before the effect begins; a failure closes it, unless something is left that
        the next apply can still make use of."""
        address = change.address
        if address.kind not in (STAND_IN_THE_WORLD if change.action == "delete" else HAVE_EFFECTS):
            yield
            return
        if attempt.key not in self._session.state.intents:
            spec = self._planned.survey.reading.manifest.resources.get(address)
            compute = spec.spec["compute"] if spec else self._session.state.resources[address].outputs["compute"]
            detail: dict[str, Json] = {"compute": compute, "checkout": {**self._effects.checkout}}
            opened = IntentOpened(attempt.key, address, change.action, attempt.fingerprint, attempt.number, detail)
            self._session.commit((opened,))
        try:
            yield
        except Unfinished:
            raise
        except Refusal as refusal:
            outcome: IntentOutcome = "canceled" if refusal.exit_code is ExitCode.INTERRUPTED else "failed"
            entries: tuple[Entry, ...] = getattr(refusal, "entries", ())
            closed = IntentClosed(attempt.key, outcome, refusal.diagnostics[0].detail if refusal.diagnostics else "")
            self._session.commit((*entries, closed))
            raise

    def _close_all(self, address: Address) -> list[IntentClosed]:
        """Ends every open intent of an address: what stands now is what the newest of them asked for."""
        intents = self._session.state.intents.values()
        return [IntentClosed(intent.key, "done") for intent in intents if intent.address == address]

    def _commit_moves(self) -> None:
        moves = tuple(ResourceMoved(old, new) for new, old in self._planned.moved.items())
        if moves:
            self._session.commit(moves)

    def _slot(self, change: Change) -> Any:
        """A place on the compute for a run; runs beyond `max_nodes` queue."""
        if change.action != "run":
            return nullcontext()
        resource = self._planned.survey.reading.manifest.resources[change.address]
        slots = self._slots[resource.spec["compute"]]
        return _queued(slots, self._effects.stop, lambda: self._emit(StageReached(change.address, "Queued")))


def _slots(planned: Planned) -> dict[str, threading.Semaphore]:
    resources = planned.survey.reading.manifest.resources
    return {
        address.name: threading.Semaphore(int(resource.spec.get("max_nodes") or 1))
        for address, resource in resources.items()
        if address.kind == "compute"
    }


@contextmanager
def _queued(slots: threading.Semaphore, stop: threading.Event, on_wait: Callable[[], None]) -> Iterator[None]:
    """Holds a slot. Raises: Refusal where the user asks to stop while it waits."""
    if not slots.acquire(blocking=False):
        on_wait()
        while not slots.acquire(timeout=0.2):
            if stop.is_set():
                raise Refusal([codes.MLP7003.diagnostic("It was still waiting for a place.")], ExitCode.INTERRUPTED)
    try:
        yield
    finally:
        slots.release()


def order_of(loud: Sequence[Change], graph: Graph) -> dict[Address, set[Address]]:
    """Which loud changes each waits for.

    A deletion waits for all changes that are none, so that nothing loses what it still stands on; but a service that
    takes over the place of one that goes waits for that one to go.
    """
    made = {change.address for change in loud if change.action != "delete"}
    going: dict[tuple[Any, Any] | None, Address] = {
        place: c.address for c in loud if c.action == "delete" and (place := _place(c.before))
    }
    needs: dict[Address, set[Address]] = {}
    making_way: set[Address] = set()
    for change in loud:
        if change.action != "delete":
            needs[change.address] = made.intersection(graph.needs[change.address])
            if (before := going.get(_place(change.after))) is not None:
                needs[change.address].add(before)
                making_way.add(before)
    gone: set[Address] = set()
    for change in loud:
        if change.action == "delete":
            needs[change.address] = set() if change.address in making_way else made | gone
            gone.add(change.address)
    return needs


def _place(parts: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """Where a service listens; None for what is no service."""
    return (parts["host"].value, parts["port"].value) if "port" in parts and "host" in parts else None


def _check_refines(now: Change, planned: Change) -> None:
    """Raises: Refusal where the decision made again asks for something that was not announced."""
    waited = any(part.digest is None for part in planned.after.values())
    if now.action == planned.action or (waited and ACTIONS.index(now.action) <= ACTIONS.index(planned.action)):
        return
    raise Refusal(
        [
            codes.MLP7002.diagnostic(
                f"The plan announced `{planned.action}` for {planned.address}, but it would be `{now.action}` now.",
                hint="Something changed while the plan was applied. Look again:\n    mlplan plan",
                address=planned.address,
            )
        ]
    )


def _bug(change: Change, error: Exception) -> Refusal:
    refusal = Refusal([bug(error, f"while {change.address} was applied")], ExitCode.BUG)
    refusal.__cause__ = error
    return refusal
