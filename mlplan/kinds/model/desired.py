"""A model, planned: its bytes come out of a run or from a file; the same bytes are no new version."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlplan.address import Address
from mlplan.fingerprint import Part, known, unknown
from mlplan.kinds.versions import number_of, stay
from mlplan.plan.decide import Desired
from mlplan.world import Drift

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.json_types import Json
    from mlplan.kinds.protocol import Reading
    from mlplan.manifest.resolved import Resource
    from mlplan.manifest.specs import ModelSpec
    from mlplan.plan.changes import Change
    from mlplan.plan.make import Lookup
    from mlplan.state.records import Recorded, State
    from mlplan.workspace.protocols import Artifacts, Tree

CONTENT = "model bytes"
"""The part that decides the version."""


class Facts(NamedTuple):
    """What is known of a model apart from its run."""

    artifacts: Artifacts  # to find a kept run's model in its outputs; only reads
    tree: Tree | None  # the bytes of `file`; None for a model out of a run
    paths: Mapping[str, str]  # of `file`: {path in the tree: path here}
    recorded: Recorded | None


def read(resource: Resource, reading: Reading) -> Facts:
    """The bytes of a model that is given as a file or folder."""
    recorded = reading.state.resources.get(resource.address)
    file = resource.spec.get("file")
    if file is None:
        return Facts(reading.artifacts, None, {}, recorded)
    from mlplan.kinds.model.files import model_files  # only a model from a file needs it

    paths = model_files(reading.manifest.root, file, reading.manifest.places.get(f"{resource.address}.file"))
    return Facts(reading.artifacts, reading.files.listing(paths).tree, paths, recorded)


def desired(resource: Resource, facts: Facts, lookup: Lookup, state: State) -> Desired:
    """Its bytes, gates and labels."""
    spec: ModelSpec = resource.spec
    parts: dict[str, Part] = {CONTENT: _content(resource, facts, lookup)}
    for gate in spec.get("require") or ():
        parts[f"require {gate}"] = known("check", gate, show=False)
    framework = spec.get("framework")
    if framework:
        text = " ".join(str(framework[key]) for key in ("name", "version") if framework.get(key))
        parts["framework"] = known("label", text)
    if spec.get("description"):
        parts["description"] = known("label", spec["description"])
    for key, value in (spec.get("tags") or {}).items():
        parts[f"tag {key}"] = known("label", value)
    for key, value in (spec.get("properties") or {}).items():
        parts[f"property {key}"] = known("label", value)
    return Desired(resource.address, parts, bool(spec.get("protect")), _details(parts[CONTENT], resource, state))


def _details(content: Part, resource: Resource, state: State) -> dict[str, str]:
    """That bytes are those of an earlier version, where they are."""
    version = state.version_of(resource.address, content.digest) if content.digest else None
    return {CONTENT: f"version {version.number} again"} if version else {}


def _content(resource: Resource, facts: Facts, lookup: Lookup) -> Part:
    """The digest of the model's bytes, or what it waits for."""
    if facts.tree is not None:
        return Part("result", facts.tree.digest)
    run = Address("run", resource.spec["run"])
    outputs = lookup(run).outputs
    if outputs is None or not isinstance(outputs.get("outputs"), str):
        return unknown("result", str(run))
    digest = model_digest(facts, str(outputs["outputs"]), resource.spec["path"])
    # A kept run without the model's file: only the apply can say so, with the run's files at hand.
    return Part("result", digest) if digest else unknown("result", str(run))


def model_digest(facts: Facts, outputs: str, path: str) -> str | None:
    """The digest of a model in a run's outputs; read from the state where that knows it, else from the listing."""
    recorded = facts.recorded
    if recorded and recorded.outputs.get("outputs") == outputs and recorded.outputs.get("path") == path:
        return str(recorded.outputs["digest"])
    from mlplan.workspace.trees import subtree_of

    tree = subtree_of(facts.artifacts.tree(outputs), inside_outputs(path))
    return tree.digest if tree else None


def inside_outputs(path: str) -> str:
    """A model's `path`, which starts where the script runs or in its outputs, as a path below the run's outputs."""
    words = [word for word in path.split("/") if word not in ("", ".")]
    return "/".join(words[1:] if words[:1] == ["outputs"] else words)


def drift(recorded: Recorded, reading: Reading) -> tuple[Drift, ...]:
    """Kept bytes that are missing or damaged."""
    problems = reading.artifacts.problems(str(recorded.outputs["digest"]))
    return tuple(Drift(f"artifact {path}", "missing or damaged") for path in problems)


def yields(change: Change, facts: Facts, state: State) -> Mapping[str, Json] | None:
    """Its version and digest, as soon as its bytes are known."""
    digest = change.after[CONTENT].digest
    if digest is None:
        return None
    return {"version": number_of(state, change.address, digest), "digest": digest}


def loss(recorded: Recorded, state: State) -> str:
    """What removing it from the manifest means."""
    kept = stay(len(state.versions.get(recorded.address, ())), "kept version")
    return f"{recorded.address.name} is no longer registered anew; {kept} until `mlplan gc`."
