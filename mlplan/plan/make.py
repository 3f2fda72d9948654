"""The plan of a whole project: one walk over the graph, each resource decided with what those before it yield."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from mlplan.address import KINDS, Address
from mlplan.graph import Graph
from mlplan.json_types import Json
from mlplan.plan.changes import QUIET, Change, Impact, Plan, Reason
from mlplan.plan.decide import Desired, Known, decide
from mlplan.state.records import Recorded, State
from mlplan.world import World

MERE_RECORDS = ("compute", "inference")
"""Kinds of which nothing is lost with the record: what ran there, and the services' own copies of the code, stay."""

Lookup = Callable[[Address], Known]
"""What an address yields, as far as it can be known now."""

Desire = Callable[[Address, Lookup], Desired]
"""What an address should be, given what others yield. A kind's part (`mlplan/kinds/`)."""

Yield = Callable[[Change, State], "Mapping[str, Json] | None"]
"""What an address will yield once its change is made, where that is known beforehand. A kind's part."""

Loss = Callable[[Recorded, State], str]
"""What a deletion or replacement loses, in one sentence. A kind's part."""


class Meaning(NamedTuple):
    """What the kinds make of their resources: all that the walk asks them."""

    desire: Desire
    yields: Yield
    loss: Loss


class Selection(NamedTuple):
    """Which resources a plan looks at."""

    only: frozenset[Address] = frozenset()  # these and what they need; empty: all
    exclude: frozenset[Address] = frozenset()  # not these, and not what needs them
    replace: frozenset[Address] = frozenset()  # made anew whatever their parts say

    def of(self, graph: Graph) -> frozenset[Address]:
        """The addresses that are looked at."""
        chosen = graph.closure(self.only) if self.only else frozenset(graph.order)
        left_out: set[Address] = set(self.exclude)
        for address in graph.order:
            if left_out.intersection(graph.needs[address]):
                left_out.add(address)
        return chosen - left_out


def make_plan(
    graph: Graph,
    kinds: Meaning,
    state: State,
    world: World,
    *,
    selection: Selection,
    moved: Mapping[Address, Address],
    project: str,
    manifest_digest: str,
) -> Plan:
    """All changes that lead from the state and the world to the manifest.

    `state` has its moves applied already; `moved` names them, new address -> the one the state knew it by.
    """
    looked_at = selection.of(graph)
    known: dict[Address, Known] = {}
    changes: list[Change] = []
    for address in graph.order:
        recorded = state.resources.get(address)
        if address not in looked_at:
            known[address] = Known(recorded.outputs if recorded else None)
            continue
        desired = kinds.desire(address, known.__getitem__)
        change = decide(desired, state, world.get(address, ()), forced=address in selection.replace)
        change = _with_move(change, moved.get(address))
        if change.yields is None:
            change = change._replace(yields=kinds.yields(change, state))
        if change.action == "replace" and recorded:
            change = change._replace(loss=kinds.loss(recorded, state))
        change = _with_inference(change, changes)
        changes.append(change)
        known[address] = Known(change.yields, desired.details.get("content", ""))
    if not selection.only:
        changes += _deletions(state, graph.order, selection.exclude, kinds.loss)
    return Plan(project, state.lineage, state.serial, manifest_digest, tuple(changes), service_outputs(changes))


def _deletions(state: State, declared: Iterable[Address], exclude: frozenset[Address], loss: Loss) -> list[Change]:
    """A deletion for each recorded resource that the manifest has no more; those that need others first."""
    gone = set(state.resources) - set(declared) - exclude
    return [delete(state.resources[a], loss(state.resources[a], state)) for a in deletion_order(gone)]


def deletion_order(addresses: Iterable[Address]) -> list[Address]:
    """Those that need others before what they need: services first, computes last."""
    return sorted(addresses, key=lambda address: (-KINDS.index(address.kind), address.name))


def delete(recorded: Recorded, loss: str, *, cause: str = "undeclared") -> Change:
    """The deletion of one recorded resource."""
    reason = Reason("undeclared", str(recorded.address)) if cause == "undeclared" else Reason("forced", cause)
    impact: Impact = "cosmetic" if recorded.address.kind in MERE_RECORDS else "destructive"
    return Change(recorded.address, "delete", (reason,), recorded.parts, {}, impact=impact, loss=loss, yields=None)


def service_outputs(changes: Sequence[Change]) -> dict[str, Json]:
    """Scoring addresses by deployment, where they are known."""
    found: dict[str, Json] = {}
    for change in changes:
        if change.address.kind == "deployment" and change.yields and "scoring_uri" in change.yields:
            found[str(change.address)] = {"scoring_uri": change.yields["scoring_uri"]}
    return found


def protected(plan: Plan, state: State) -> list[Change]:
    """The changes that would delete or replace what the state remembers as protected."""
    return [
        change
        for change in plan.changes
        if change.action in ("delete", "replace")
        and (recorded := state.resources.get(change.address)) is not None
        and recorded.protect
    ]


def apply_moves(state: State, moves: Iterable[tuple[Address, Address]]) -> tuple[State, dict[Address, Address]]:
    """The state with its resources under their new addresses, and {new: old} for those that did move.

    A move whose old address isn't recorded, or whose new one is, has been made already: it stays without effect.
    """
    resources, versions, runs = dict(state.resources), dict(state.versions), dict(state.runs)
    stopped = dict(state.stopped)
    done: dict[Address, Address] = {}
    for old, new in moves:
        if old not in resources or new in resources:
            continue
        resources[new] = resources.pop(old)._replace(address=new)
        if old in versions:
            versions[new] = versions.pop(old)
        if old in runs:
            runs[new] = tuple(record._replace(address=new) for record in runs.pop(old))
        if old in stopped:
            stopped[new] = stopped.pop(old)
        done[new] = old
    return state._replace(resources=resources, versions=versions, runs=runs, stopped=stopped), done


def _with_inference(change: Change, before: Iterable[Change]) -> Change:
    """A deployment whose inference changes has the impact of that: what answers is what its clients see."""
    if change.address.kind != "deployment" or change.impact not in ("cosmetic", "serve-only"):
        return change
    named = {reason.subject for reason in change.reasons}
    impacts = {c.impact for c in before if c.address.kind == "inference" and f"inference {c.address.name}" in named}
    return change._replace(impact="contract") if "contract" in impacts else change


def _with_move(change: Change, old: Address | None) -> Change:
    if old is None:
        return change
    action = "update" if change.action in QUIET else change.action
    impact = "cosmetic" if change.impact == "none" else change.impact
    return change._replace(
        action=action,
        impact=impact,
        reasons=(Reason("moved", str(old), str(old), str(change.address)), *change.reasons),
    )
