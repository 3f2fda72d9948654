"""A compute, applied: recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.errors import Refusal
from mlplan.events import DiagnosticRaised
from mlplan.kinds.protocol import Performed

if TYPE_CHECKING:
    from mlplan.kinds.protocol import Attempt, Effects
    from mlplan.manifest.resolved import Resource
    from mlplan.plan.changes import Change
    from mlplan.state.records import Recorded


def prepare(resource: Resource, facts: None, effects: Effects) -> None:
    """Nothing is missing."""


def perform(resource: Resource, facts: None, change: Change, attempt: Attempt, effects: Effects) -> Performed:
    """Records it. What a target of another type kept under its name is removed, as far as nothing uses it."""
    before = effects.state().resources.get(resource.address)
    if before is not None and before.outputs["type"] != resource.spec["type"]:
        try:
            remove(before, effects)
        except Refusal as refusal:  # one that can't be asked any more is no reason to stay there
            for problem in refusal.diagnostics:
                effects.emit(DiagnosticRaised(problem._replace(severity="warning")))
    return Performed({name: part.value for name, part in change.after.items()})


def remove(recorded: Recorded, effects: Effects) -> None:
    """Removes what its target kept for later runs and services, such as images, and jobs that are over. Nothing else
    stands in the world for it: services went before."""
    target = effects.reading.target(recorded.address.name, str(recorded.outputs["type"]))
    open_keys = effects.state().intents
    for key in list(target.jobs.keys()):
        if key not in open_keys and target.jobs.observe(key).state in ("Ended", "Absent"):
            target.jobs.remove(key)
    target.clear()
