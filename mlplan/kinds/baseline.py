"""What a base revision would have recorded, had it been applied: for comparing a change with it where no state is at
hand. Pure.

What only an apply can tell is assumed: a run's outputs are named by its fingerprint, a model's bytes by its run's
outputs and its path, a pinned version by its number, what isn't pinned by how it is declared. The same declaration
gives the same name, so that only what the change does shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.address import Address
from mlplan.fingerprint import Part, fingerprint
from mlplan.json_types import digest_of
from mlplan.kinds.deployment.desired import scoring_uri
from mlplan.kinds.model.desired import inside_outputs
from mlplan.kinds.registry import KINDS
from mlplan.plan.decide import Desired, Known
from mlplan.state.records import EMPTY, Recorded, State, Version
from mlplan.workspace.protocols import FileEntry, Tree
from mlplan.workspace.trees import tree_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.graph import Graph
    from mlplan.json_types import Json
    from mlplan.manifest.resolved import Resource
    from mlplan.plan.make import Lookup

AS_IS = "as on the base"
"""The value of an attribute that only an apply can tell. It shows nowhere unless the attribute may change."""


class Mentions(NamedTuple):
    """What the two revisions ask of resources, by the address that each has on the base."""

    attributes: frozenset[tuple[Address, str]]  # "version", "metrics.accuracy"
    versions: frozenset[tuple[Address, int]]  # of models, pinned
    model_paths: tuple[str, ...]  # in a run's outputs


def mentions_of(revisions: Iterable[Iterable[Resource]], moved: Mapping[Address, Address]) -> Mentions:
    """What the resources of these revisions mention. `moved` has the old address of each new one."""
    attributes: set[tuple[Address, str]] = set()
    versions: set[tuple[Address, int]] = set()
    paths: set[str] = set()
    for resource in (resource for resources in revisions for resource in resources):
        for reference in resource.references:
            if reference.attribute:
                attributes.add((moved.get(reference.address, reference.address), reference.attribute))
        if resource.address.kind == "deployment":
            for name, _, pinned in (mention.partition(":") for mention in resource.spec["models"]):
                model = Address("model", name)
                versions.update([(moved.get(model, model), int(pinned))] if pinned else [])
        if resource.address.kind == "model" and resource.spec.get("run"):
            paths.add(inside_outputs(resource.spec["path"]))
    return Mentions(frozenset(attributes), frozenset(versions), tuple(sorted(paths - {""})))


class SupposedArtifacts:
    """What a revision that was never applied would have kept: its datasets, and in each run's outputs a file at every
    path where a model is looked for, its content named by the outputs and the path."""

    def __init__(self, trees: Iterable[Tree], model_paths: tuple[str, ...]) -> None:
        self._trees = {tree.digest: tree for tree in trees}
        self._model_paths = model_paths

    def tree(self, digest: str) -> Tree:
        """The listing of a dataset or of a run's outputs."""
        if digest not in self._trees:
            supposed = (FileEntry(path, digest_of(["model", digest, path]), 0) for path in self._model_paths)
            self._trees[digest] = tree_of(supposed)
        return self._trees[digest]


def assumed_state(
    graph: Graph, resources: Mapping[Address, Resource], facts: Mapping[Address, Any], mentions: Mentions
) -> State:
    """The state after an apply of a revision, with assumed outputs."""
    recorded: dict[Address, Recorded] = {}
    asked: dict[Address, list[str]] = {}
    for mentioned, attribute in sorted(mentions.attributes):
        asked.setdefault(mentioned, []).append(attribute)
    state = EMPTY._replace(versions=_pinned_versions(mentions))

    def lookup(address: Address) -> Known:
        return Known(recorded[address].outputs)

    for address in graph.order:
        resource = resources[address]
        desired = KINDS[address.kind].desired(resource, facts[address], lookup, state)
        parts = {name: _named(part, resource, name, facts[address]) for name, part in desired.parts.items()}
        outputs = _outputs(resource, parts, lookup)
        for attribute in asked.get(address, ()):
            _supply(outputs, attribute.split("."))
        recorded[address] = Recorded(address, parts, outputs, desired.protect, 0)
    return state._replace(resources=recorded)


def desired_on(resource: Resource, facts: Any, lookup: Lookup, state: State) -> Desired:
    """What a resource should be, compared with an assumed state: what neither revision pins counts as the same."""
    desired = KINDS[resource.address.kind].desired(resource, facts, lookup, state)
    recorded = state.resources.get(resource.address)
    if recorded is None:
        return desired
    parts = dict(desired.parts)
    for name, part in desired.parts.items():
        if _is_unpinned(part, resource.address) and recorded.parts.get(name) == _declared(resource, facts):
            parts[name] = recorded.parts[name]
    return desired._replace(parts=parts)


def _is_unpinned(part: Part, address: Address) -> bool:
    """Whether nobody but the apply of the resource itself can tell the part."""
    return part.digest is None and part.value == str(address)


def _declared(resource: Resource, facts: Any) -> Part:
    """Stands for what isn't pinned: the same where the same is asked for."""
    asked = getattr(facts, "environment", None)
    wanted = asked.request.digest if asked is not None and asked.request else resource.spec.get("source")
    return Part("result", digest_of(["unpinned", wanted]))


def _named(part: Part, resource: Resource, name: str, facts: Any) -> Part:
    """The part with a digest, where an apply would have given it one."""
    if part.digest is not None:
        return part
    if _is_unpinned(part, resource.address):
        return _declared(resource, facts)
    return part._replace(digest=digest_of(["assumed", str(resource.address), name, part.value]))


def _pinned_versions(mentions: Mentions) -> dict[Address, tuple[Version, ...]]:
    found: dict[Address, tuple[Version, ...]] = {}
    for model, number in sorted(mentions.versions):
        version = Version(number, digest_of(["version", str(model), number]), 0, {})
        found[model] = (*found.get(model, ()), version)
    return found


def _supply(outputs: dict[str, Json], steps: list[str]) -> None:
    """Gives an attribute that has no value yet one that says nothing."""
    *above, name = steps
    for step in above:
        inner = outputs.get(step)
        outputs[step] = inner = dict(inner) if isinstance(inner, dict) else {}
        outputs = inner
    if outputs.get(name) is None:
        outputs[name] = AS_IS


def _outputs(resource: Resource, parts: Mapping[str, Part], lookup: Lookup) -> dict[str, Json]:
    """What the resource yields, by name alone."""
    mark = fingerprint(parts)
    kind = resource.address.kind
    if kind == "run":
        return {"id": mark, "outputs": digest_of(["outputs", mark])}
    if kind == "model":
        run = next((r.address for r in resource.references if r.address.kind == "run"), None)
        outputs = lookup(run).outputs if run else None
        came_from = outputs["outputs"] if outputs else None
        made: dict[str, Json] = {"digest": parts["model bytes"].digest, "version": "current"}
        return {**made, "path": resource.spec.get("path"), "outputs": came_from}
    if kind == "dataset":
        return {"digest": parts["content"].digest}
    if kind == "inference":
        return {"fingerprint": mark}
    if kind == "deployment":
        return {"scoring_uri": scoring_uri(parts)}
    return {name: part.value for name, part in parts.items()}
