"""The plan that leads from one revision of a project to another, found in git's objects alone.

Both are read by the kinds as they read a folder, on a checkout that only they see (`workspace/checkout.py`); the base
is taken for applied (`baseline.py`); then the one decision of every plan is made.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from mlplan.errors import Refusal
from mlplan.graph import Graph, build_graph
from mlplan.kinds.baseline import SupposedArtifacts, assumed_state, desired_on, mentions_of
from mlplan.kinds.dataset.desired import Facts as DatasetFacts
from mlplan.kinds.model.desired import Facts as ModelFacts
from mlplan.kinds.planning import loss
from mlplan.kinds.protocol import Reading
from mlplan.kinds.registry import KINDS
from mlplan.lock.lockfile import read as read_lock
from mlplan.lock.types import Lock
from mlplan.plan.decide import Desired
from mlplan.plan.make import Meaning, Selection, apply_moves, make_plan
from mlplan.state.records import EMPTY
from mlplan.workspace.checkout import Checkout, CheckoutFiles
from mlplan.workspace.protocols import Tree
from mlplan.workspace.trees import tree_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlplan.address import Address
    from mlplan.json_types import Json
    from mlplan.kinds.revision import Revision
    from mlplan.manifest.resolved import Resource
    from mlplan.plan.changes import Change, Plan
    from mlplan.plan.make import Lookup
    from mlplan.state.records import State
    from mlplan.targets.protocols import Target
    from mlplan.workspace.protocols import Artifacts, Files


class Compared(NamedTuple):
    """A plan from one revision to another, and what it was made from."""

    plan: Plan
    state: State  # that of the base, as if applied, moves made
    graph: Graph  # of the head
    unkept: tuple[Address, ...]  # data of the head that git doesn't hold


class _Read(NamedTuple):
    """A revision with what the kinds found in its files."""

    revision: Revision | None
    graph: Graph
    facts: Mapping[Address, Any]
    trees: tuple[Tree, ...]  # of its datasets

    @property
    def resources(self) -> Mapping[Address, Resource]:
        return self.revision.manifest.resources if self.revision else {}


NOTHING = _Read(None, build_graph({}), {}, ())


def compare(
    base: Revision | None,
    head: Revision | None,
    checkout: Checkout,
    choose: Callable[[State], Selection],
    wrong: Callable[[Refusal, Revision], Refusal],
) -> Compared:
    """The plan from `base` to `head`, either of which may have no project. `choose` gives the selection, once it is
    known what there is; `wrong` says of a refusal which of the two it is about.

    Raises: Refusal where a file that one of them names can't be read.
    """
    locks = {id(revision): _lock(revision, checkout, wrong) for revision in (base, head) if revision}
    head_lock = locks[id(head)] if head else Lock({}, {})
    moves = [(move.old, move.new) for move in head.manifest.moved] if head else []
    base_resources = base.manifest.resources if base else {}
    moved = {new: old for old, new in moves if old in base_resources and new not in base_resources}
    both = [revision.manifest.resources.values() for revision in (base, head) if revision]
    mentions = mentions_of(both, moved)
    artifacts = SupposedArtifacts((), mentions.model_paths)
    was, state = NOTHING, EMPTY
    if base is not None:
        own = locks[id(base)]
        # A pin that the change adds is what the base would have come to.
        lock = Lock({**head_lock.environments, **own.environments}, {**head_lock.urls, **own.urls})
        was = _read(base, checkout, lock, EMPTY, artifacts, wrong)
        state = assumed_state(was.graph, was.resources, was.facts, mentions)
    state, moved = apply_moves(state, moves)
    now = NOTHING
    if head is not None:
        artifacts = SupposedArtifacts(was.trees, mentions.model_paths)
        now = _read(head, checkout, head_lock, state, artifacts, wrong)
    plan = _plan(now, state, moved, choose(state))
    some = head or base
    assert some is not None  # the caller has looked
    plan = plan._replace(project=some.manifest.project, manifest_digest=some.manifest.digest)
    return Compared(plan, state, now.graph, tuple(head.unkept) if head else ())


def _lock(revision: Revision, checkout: Checkout, wrong: Callable[[Refusal, Revision], Refusal]) -> Lock:
    checkout.show(revision.tree.needed(["mlplan.lock"]))
    try:
        return read_lock(os.path.join(revision.manifest.root, "mlplan.lock"))
    except Refusal as refusal:
        raise wrong(refusal, revision) from refusal


def _read(
    revision: Revision,
    checkout: Checkout,
    lock: Lock,
    state: State,
    artifacts: SupposedArtifacts,
    wrong: Callable[[Refusal, Revision], Refusal],
) -> _Read:
    """What the kinds find in the files of a revision, which the checkout shows from now on."""
    checkout.show(revision.needed)
    reading = Reading(
        manifest=revision.manifest,
        lock=lock,
        files=cast("Files", CheckoutFiles(checkout, revision.manifest.root)),
        artifacts=cast("Artifacts", artifacts),  # planning only reads listings
        state=state,
        target=_no_target,
        secret=lambda name: None,
    )
    resources = revision.manifest.resources
    graph = build_graph({a: [r.address for r in resource.references] for a, resource in resources.items()})
    try:
        facts = {address: _facts(resources[address], reading, revision) for address in graph.order}
    except Refusal as refusal:
        raise wrong(refusal, revision) from refusal
    trees = [f.tree for f in facts.values() if isinstance(f, DatasetFacts) and f.tree]
    return _Read(revision, graph, facts, tuple(trees))


def _facts(resource: Resource, reading: Reading, revision: Revision) -> Any:
    """What a kind reads; data that git doesn't hold counts by its name, and by the submodule that it is in."""
    address = resource.address
    missing = revision.unkept.get(address)
    if not missing:
        return KINDS[address.kind].read(resource, reading)
    if address.kind == "model":
        tree = Tree(_digest_with(missing, tree_of(())), ())
        return ModelFacts(reading.artifacts, tree, {}, reading.state.resources.get(address))
    facts = DatasetFacts({}, {}, tree_of(()), "")
    if resource.spec["source"]:
        facts = KINDS["dataset"].read(resource, reading)
    if facts.tree is None:
        return facts
    return facts._replace(tree=Tree(_digest_with(missing, facts.tree), facts.tree.files))


def _digest_with(missing: Mapping[str, str], kept: Tree) -> str:
    from mlplan.json_types import digest_of

    return digest_of(["not in git", dict(missing), kept.digest])


def _plan(now: _Read, state: State, moved: Mapping[Address, Address], selection: Selection) -> Plan:
    def desire(address: Address, lookup: Lookup) -> Desired:
        return desired_on(now.resources[address], now.facts[address], lookup, state)

    def yields(change: Change, known: State) -> Mapping[str, Json] | None:
        found = KINDS[change.address.kind].yields(change, now.facts[change.address], known)
        if not found or "version" not in found:
            return found
        # Which number new bytes will have depends on what was registered before, and that stands in the state.
        recorded = known.resources.get(change.address)
        same = recorded is not None and recorded.outputs["digest"] == found["digest"]
        return {**found, "version": recorded.outputs.get("version") if recorded and same else None}

    return make_plan(
        now.graph,
        Meaning(desire, yields, loss),
        state,
        {},
        selection=selection,
        moved=moved,
        project="",
        manifest_digest="",
    )


def _no_target(compute: str, kind: str = "") -> Target:
    """Nobody is asked about the world."""
    raise AssertionError(f"a comparison of revisions asked for the compute {compute}")
