"""A compute, applied: recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.kinds.protocol import Performed

if TYPE_CHECKING:
    from mlplan.kinds.protocol import Attempt, Effects
    from mlplan.manifest.resolved import Resource
    from mlplan.plan.changes import Change
    from mlplan.state.records import Recorded


def prepare(resource: Resource, facts: None, effects: Effects) -> None:
    """Nothing is missing."""


def perform(resource: Resource, facts: None, change: Change, attempt: Attempt, effects: Effects) -> Performed:
    """Records it."""
    return Performed({name: part.value for name, part in change.after.items()})


def remove(recorded: Recorded, effects: Effects) -> None:
    """Removes what its target kept for later runs and services, such as images. Nothing else stands in the world for
    it: services went before."""
    effects.reading.target(recorded.address.name).clear()
