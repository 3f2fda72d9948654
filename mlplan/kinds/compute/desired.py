"""A compute, planned: a record of where runs and services go. Its target is asked when something goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.fingerprint import Part, Role, known
from mlplan.plan.decide import Desired

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.json_types import Json
    from mlplan.kinds.protocol import Reading
    from mlplan.manifest.resolved import Resource
    from mlplan.plan.changes import Change
    from mlplan.plan.make import Lookup
    from mlplan.state.records import Recorded, State
    from mlplan.world import Drift


def read(resource: Resource, reading: Reading) -> None:
    """Nothing: a compute is all in the manifest."""


def desired(resource: Resource, facts: None, lookup: Lookup, state: State) -> Desired:
    """Each written field is a part."""
    parts: dict[str, Part] = {}
    for field, value in resource.spec.items():
        if value is not None:
            role: Role = "replace" if field == "type" else "label" if field in ("description", "tags") else "result"
            parts[field] = known(role, value)
    return Desired(resource.address, parts)


def drift(recorded: Recorded, reading: Reading) -> tuple[Drift, ...]:
    """None: a compute is a record."""
    return ()


def yields(change: Change, facts: None, state: State) -> Mapping[str, Json]:
    """Its fields."""
    return {name: part.value for name, part in change.after.items()}


def loss(recorded: Recorded, state: State) -> str:
    """Nothing is lost with a record."""
    return "Only the record goes; what ran there stays recorded."
