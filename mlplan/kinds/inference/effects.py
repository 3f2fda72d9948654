"""An inference, applied: its code is kept. What serves it is a deployment's business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.fingerprint import fingerprint
from mlplan.kinds.protocol import Performed

if TYPE_CHECKING:
    from mlplan.kinds.inference.desired import Facts
    from mlplan.kinds.protocol import Attempt, Effects
    from mlplan.manifest.resolved import Resource
    from mlplan.plan.changes import Change
    from mlplan.state.records import Recorded


def prepare(resource: Resource, facts: Facts, effects: Effects) -> Facts:
    """Nothing is missing."""
    return facts


def perform(resource: Resource, facts: Facts, change: Change, attempt: Attempt, effects: Effects) -> Performed:
    """Keeps the code."""
    tree = effects.reading.artifacts.put_files(facts.code.files)
    return Performed({"fingerprint": fingerprint(change.after), "code": tree.digest})


def remove(recorded: Recorded, effects: Effects) -> None:
    """Nothing stands in the world for it."""
