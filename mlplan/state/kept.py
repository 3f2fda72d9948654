"""What the state refers to among the kept trees: the ground for collecting the rest. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlplan.address import Address
    from mlplan.state.records import Recorded, State, Version

TREES = ("digest", "outputs", "logs", "code")
"""The outputs of a resource that name kept trees; of a service its `models` do."""


def kept_trees(state: State) -> frozenset[str]:
    """The digests of all trees that a resource, one of its versions or runs, a service or an open intent refers to.

    A resource that is recorded no more, and that no service uses, keeps nothing.
    """
    keep: set[str] = set()
    alive = alive_addresses(state)
    for address in alive:
        keep.update(version.digest for version in state.versions.get(address, ()))
        for record in state.runs.get(address, ()):
            keep.update(digest for digest in (record.outputs, record.logs) if digest)
    for recorded in state.resources.values():
        keep.update(_trees_of(recorded))
    return frozenset(keep)


def alive_addresses(state: State) -> frozenset[Address]:
    """Addresses that are recorded, that an intent is open for, or whose versions a service serves."""
    served = {digest for recorded in state.resources.values() for digest in _served(recorded)}
    serving = {a for a, versions in state.versions.items() if any(v.digest in served for v in versions)}
    return frozenset({*state.resources, *(intent.address for intent in state.intents.values()), *serving})


def forgotten_versions(state: State) -> list[tuple[Address, Version]]:
    """The versions that a collection gives up: those of resources that nothing declares or serves any more."""
    alive = alive_addresses(state)
    return [(address, version) for address, vs in state.versions.items() if address not in alive for version in vs]


def _trees_of(recorded: Recorded) -> set[str]:
    if recorded.address.kind == "deployment":  # its own digest is what it says it serves
        return _served(recorded)
    return {str(recorded.outputs[key]) for key in TREES if recorded.outputs.get(key)}


def _served(recorded: Recorded) -> set[str]:
    models = recorded.outputs.get("models")
    return {str(digest) for digest in models.values()} if isinstance(models, dict) else set()
