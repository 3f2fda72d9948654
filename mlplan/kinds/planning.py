"""From a resolved manifest to a plan: facts read, world observed, and the pure walk of `plan/make.py` over them.

Both `plan` and `apply` come through here, so that they decide alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.graph import Graph, build_graph
from mlplan.kinds.registry import KINDS
from mlplan.plan.decide import RULES, Desired, Known, decide
from mlplan.plan.make import Meaning, Selection, apply_moves, make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.address import Address
    from mlplan.json_types import Json
    from mlplan.kinds.protocol import Reading
    from mlplan.plan.changes import Change, Plan
    from mlplan.plan.make import Lookup
    from mlplan.state.records import Recorded, State
    from mlplan.world import World

EVERYTHING = Selection()


class Survey(NamedTuple):
    """All that deciding needs beside the state: what was read and what was observed."""

    reading: Reading
    graph: Graph
    facts: Mapping[Address, Any]
    world: World
    selection: Selection

    def desire(self, address: Address, lookup: Lookup) -> Desired:
        """What an address should be, given what others yield."""
        resource = self.reading.manifest.resources[address]
        return KINDS[address.kind].desired(resource, self.facts[address], lookup, self.reading.state)

    def decide(self, address: Address, lookup: Lookup, state: State) -> Change:
        """The change that an address needs now: the decision of the plan, made again with what is known by now."""
        resource = self.reading.manifest.resources[address]
        desired = KINDS[address.kind].desired(resource, self.facts[address], lookup, state)
        drift = self.world.get(address, ())
        return decide(desired, state, drift, forced=address in self.selection.replace)

    def yields(self, change: Change, state: State) -> Mapping[str, Json] | None:
        """What a change will hand on, where that is known beforehand."""
        return KINDS[change.address.kind].yields(change, self.facts[change.address], state)


class Planned(NamedTuple):
    """A plan and what it was made from."""

    plan: Plan
    survey: Survey
    state: State  # with its moves applied
    moved: Mapping[Address, Address]  # new address -> old one, for the moves that this plan makes


def plan_project(reading: Reading, *, selection: Selection = EVERYTHING, refresh: bool = True) -> Planned:
    """The plan for a manifest on a state. Reads files and, with `refresh`, asks the world. Changes nothing.

    Raises: Refusal where a file that the manifest names can't be read.
    """
    manifest = reading.manifest
    state, moved = apply_moves(reading.state, [(move.old, move.new) for move in manifest.moved])
    reading = reading._replace(state=state)
    graph = build_graph(
        {address: [r.address for r in resource.references] for address, resource in manifest.resources.items()}
    )
    looked_at = selection.of(graph)
    facts = {
        address: KINDS[address.kind].read(manifest.resources[address], reading)
        for address in graph.order
        if address in looked_at
    }
    world = observe(reading, looked_at) if refresh else {}
    survey = Survey(reading, graph, facts, world, selection)
    plan = make_plan(
        graph,
        Meaning(survey.desire, survey.yields, loss),
        state,
        world,
        selection=selection,
        moved=moved,
        project=manifest.project,
        manifest_digest=manifest.digest,
    )
    return Planned(plan, survey, state, moved)


def observe(reading: Reading, looked_at: frozenset[Address]) -> World:
    """The drift of every recorded resource that is looked at."""
    found = {
        address: KINDS[address.kind].drift(recorded, reading)
        for address, recorded in reading.state.resources.items()
        if address in looked_at
    }
    return {address: drift for address, drift in found.items() if drift}


def loss(recorded: Recorded, state: State) -> str:
    """What a deletion or replacement of a resource loses, in one sentence."""
    return KINDS[recorded.address.kind].loss(recorded, state)


def recorded_lookup(state: State) -> Lookup:
    """What every address yields according to the state."""

    def lookup(address: Address) -> Known:
        recorded = state.resources.get(address)
        return Known(recorded.outputs if recorded else None)

    return lookup


__all__ = ["EVERYTHING", "RULES", "Planned", "Survey", "loss", "observe", "plan_project", "recorded_lookup"]
