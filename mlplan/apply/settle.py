"""Sees to what an earlier apply left open, before anything new is planned.

The log tells which effects were begun; the target tells what became of each:

    a run that ended         its outputs are kept and recorded: a plan that wants them restores them
    a run that still goes    left open: the change that wants it attaches to it; ended where nobody does any more
    a run that is left out   left open, as `--only` or `--exclude` ask: it is none of this apply's business
    a run that never began   cleared, and so is one that was begun from another checkout: nobody waits for that one,
                             which may never come back
    a service                left to its change, which verifies or replaces it; cleared where nothing declares it
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mlplan.apply.attempts import mark_of
from mlplan.errors import Refusal
from mlplan.events import StageReached
from mlplan.kinds.elsewhere import elsewhere
from mlplan.kinds.protocol import Attempt
from mlplan.kinds.run.effects import GRACE_S, keep
from mlplan.kinds.run.job import run_id
from mlplan.state.entries import IntentClosed, RunEnded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.address import Address
    from mlplan.apply.session import Session
    from mlplan.kinds.planning import Planned
    from mlplan.kinds.protocol import Effects
    from mlplan.state.entries import Outcome
    from mlplan.state.records import Intent, RunStatus
    from mlplan.targets.protocols import Jobs

OUTCOMES: Mapping[RunStatus, Outcome] = {"Completed": "done", "Failed": "failed", "Canceled": "canceled"}


def settle(planned: Planned, effects: Effects, session: Session, left_out: frozenset[Address]) -> bool:
    """Settles every open intent that can be; whether the state moved on, so that the plan has to be made again.

    `planned` is the plan as it was before: it says which running jobs are still wanted. Intents for what is left out
    stay as they are.
    """
    wanted = {c.address: mark_of(c.address, c.after) for c in planned.plan.changes}
    before = session.state.serial
    for intent in list(session.state.intents.values()):
        if intent.address in left_out:
            continue
        if intent.address.kind == "run":
            _settle_run(intent, wanted.get(intent.address), effects, session)
        else:
            _settle_service(intent, planned, effects, session)
    return session.state.serial != before


def settle_others(address: Address, key: str, effects: Effects, session: Session) -> None:
    """Settles what was begun for a run with other inputs than those that turned out to be its own."""
    for intent in list(session.state.intents.values()):
        if intent.address == address and intent.key != key and address.kind == "run":
            _settle_run(intent, None, effects, session)


def _settle_run(intent: Intent, wanted: str | None, effects: Effects, session: Session) -> None:
    """`wanted`: the fingerprint that is asked for now; "" where only the apply can tell, None where nothing is."""
    jobs = effects.reading.target(str(intent.detail["compute"])).jobs
    seen = jobs.observe(intent.key)
    if seen.state == "Absent":
        away = elsewhere(intent.detail, effects.reading.here)
        why = f"begun from {away}, and not waited for here" if away else "its compute knows no job of it here"
        session.commit((IntentClosed(intent.key, "cleared", why),))
        return
    if seen.state != "Ended":
        if wanted in ("", intent.fingerprint):
            return
        effects.emit(StageReached(intent.address, "Canceling", "begun by an earlier apply, wanted no more"))
        effects.ensure()
        jobs.cancel(intent.key, grace_s=GRACE_S)
    effects.emit(StageReached(intent.address, "Finalizing", "ended after an earlier apply was interrupted"))
    name = run_id(intent.address.name, Attempt(intent.key, intent.attempt, intent.fingerprint))
    record = keep(intent.address, jobs, intent.key, name, intent.fingerprint, intent.attempt, effects)
    outcome = OUTCOMES[record.status]
    session.commit((RunEnded(record), IntentClosed(intent.key, outcome, "settled by a later apply")))


def _settle_service(intent: Intent, planned: Planned, effects: Effects, session: Session) -> None:
    declared = planned.survey.reading.manifest.resources
    if intent.address in declared or intent.address in session.state.resources:
        return  # its own change, or its deletion, sees to it
    target = effects.reading.target(str(intent.detail["compute"]))
    effects.ensure()
    target.services.delete(intent.address.name)
    session.commit((IntentClosed(intent.key, "cleared", "nothing declares it any more"),))


def sweep(session: Session, effects: Effects, computes: list[str]) -> None:
    """Removes jobs that have ended, or never began, and that no intent speaks of: what they left is kept.

    One that somebody else still holds is left for the next time, and so are those of a target that can't be asked:
    they stand in nobody's way.
    """
    for compute in computes:
        with suppress(Refusal):
            _sweep(effects.reading.target(compute).jobs, set(session.state.intents))


def _sweep(jobs: Jobs, open_keys: set[str]) -> None:
    known = jobs.keys()
    for key in known:
        if key not in open_keys and jobs.observe(key).state in ("Ended", "Absent"):
            with suppress(Refusal):
                jobs.remove(key)
