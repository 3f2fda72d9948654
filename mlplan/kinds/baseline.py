"""What a base revision would have recorded, had it been applied: for comparing a change with it where no state is at
hand. Pure.

What only an apply can tell is assumed: a run's outputs are named by its fingerprint, a model's bytes by its run's
outputs and its path, what isn't pinned by how it is declared. The same declaration gives the same name, so that only
what the change does shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlplan.fingerprint import Part, fingerprint
from mlplan.json_types import digest_of
from mlplan.kinds.registry import KINDS
from mlplan.plan.decide import Desired, Known
from mlplan.state.records import EMPTY, Recorded, State
from mlplan.workspace.protocols import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.address import Address
    from mlplan.graph import Graph
    from mlplan.json_types import Json
    from mlplan.manifest.resolved import Resource
    from mlplan.plan.make import Lookup

MISSING: Any = object()
"""The facts of a dataset whose files the revision doesn't hold: data that git doesn't keep."""


class NothingKept:
    """Artifacts of a revision that was never applied: every tree is empty."""

    def tree(self, digest: str) -> Tree:
        """A tree without files."""
        return Tree(digest, ())


def assumed_state(graph: Graph, resources: Mapping[Address, Resource], facts: Mapping[Address, Any]) -> State:
    """The state after an apply of a revision, with assumed outputs."""
    recorded: dict[Address, Recorded] = {}

    def lookup(address: Address) -> Known:
        return Known(recorded[address].outputs)

    for address in graph.order:
        desired = assume(resources[address], facts[address], lookup, EMPTY)
        parts = {name: _named(part, address, name) for name, part in desired.parts.items()}
        recorded[address] = Recorded(address, parts, _outputs(resources[address], parts, lookup), desired.protect, 1)
    return EMPTY._replace(serial=1, resources=recorded)


def assume(resource: Resource, facts: Any, lookup: Lookup, state: State) -> Desired:
    """What a resource should be; what waits for nobody but its own apply is named by its declaration."""
    if facts is MISSING:
        return Desired(resource.address, {"content": _declared(resource)}, notes=("its files are not kept in git",))
    desired = KINDS[resource.address.kind].desired(resource, facts, lookup, state)
    own = str(resource.address)
    parts = {
        name: _declared(resource) if part.digest is None and part.value == own else part
        for name, part in desired.parts.items()
    }
    return desired._replace(parts=parts)


def _declared(resource: Resource) -> Part:
    return Part("result", digest_of(["unpinned", resource.spec.get("environment") or resource.spec.get("source")]))


def _named(part: Part, address: Address, name: str) -> Part:
    return part if part.digest else part._replace(digest=digest_of(["assumed", str(address), name, part.value]))


def _outputs(resource: Resource, parts: Mapping[str, Part], lookup: Lookup) -> dict[str, Json]:
    """What the resource yields, by name alone."""
    mark = fingerprint(parts)
    kind = resource.address.kind
    if kind == "run":
        return {"id": mark, "outputs": digest_of(["outputs", mark]), "metrics": {}}
    if kind == "model":
        run = next((r.address for r in resource.references if r.address.kind == "run"), None)
        outputs = lookup(run).outputs if run else None
        made: dict[str, Json] = {"digest": parts["model bytes"].digest, "version": None}
        return {**made, "path": resource.spec.get("path"), "outputs": outputs["outputs"] if outputs else None}
    if kind == "dataset":
        return {"digest": parts["content"].digest, "version": None}
    if kind == "inference":
        return {"fingerprint": mark, "code": None}
    return {name: part.value for name, part in parts.items()}
