"""A model, applied: gates asked, bytes kept, a version given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.address import Address
from mlplan.codes import apply as codes
from mlplan.errors import ExitCode, Refusal
from mlplan.kinds.keeping import telling
from mlplan.kinds.model.desired import CONTENT, Facts, inside_outputs
from mlplan.kinds.model.gates import deployed_metrics, unmet
from mlplan.kinds.protocol import Performed
from mlplan.kinds.versions import number_of
from mlplan.state.entries import Versioned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.json_types import Json
    from mlplan.kinds.protocol import Attempt, Effects
    from mlplan.manifest.resolved import Resource
    from mlplan.manifest.specs import ModelSpec
    from mlplan.plan.changes import Change
    from mlplan.state.records import Recorded
    from mlplan.workspace.protocols import Tree


def prepare(resource: Resource, facts: Facts, effects: Effects) -> Facts:
    """Refuses a run that left no model where the manifest says."""
    if facts.tree is None:
        run = Address("run", resource.spec["run"])
        outputs = effects.known(run).outputs
        if outputs and outputs.get("outputs") and _kept(resource, facts, str(outputs["outputs"]), effects) is None:
            path = resource.spec["path"]
            raise Refusal(
                [
                    codes.MLP7010.diagnostic(
                        f"{run} completed, but its outputs hold no `{path}`.",
                        hint=f"Let the script write `{path}`, or mend `path` of {resource.address}.\n"
                        f"    mlplan run logs {run.name}",
                        address=resource.address,
                    )
                ]
            )
    return facts


def perform(resource: Resource, facts: Facts, change: Change, attempt: Attempt, effects: Effects) -> Performed:
    """Asks the gates, keeps the bytes, and gives them their number: a new one, or the one they have.

    Raises: Refusal with exit code 3 where a gate isn't met; then nothing is registered.
    """
    spec: ModelSpec = resource.spec
    metrics = _metrics(resource, effects)
    _ask_gates(resource, metrics, effects)
    digest = str(change.after[CONTENT].digest)
    outputs: dict[str, Json] = {"path": spec.get("path") or spec.get("file"), "metrics": dict(metrics)}
    if facts.tree is None:
        run = effects.known(Address("run", str(spec["run"]))).outputs or {}
        tree = _kept(resource, facts, str(run["outputs"]), effects)
        outputs |= {"outputs": run["outputs"], "run_id": run.get("id")}
    else:
        on_bytes, on_sent = telling(resource.address, facts.tree.size if facts.tree else None, effects)
        tree = effects.reading.artifacts.put_files(facts.paths, on_bytes=on_bytes, on_sent=on_sent)
    if tree is None or tree.digest != digest:
        raise Refusal([codes.MLP7011.diagnostic(f"The bytes of {resource.address} changed while it was applied.")])
    state = effects.state()
    number = number_of(state, resource.address, digest)
    details: dict[str, Json] = {
        **outputs,
        "size_bytes": tree.size,
        "files": tree.count,
        "framework": {name: str(value) for name, value in (spec.get("framework") or {}).items()},
    }
    new = state.version_of(resource.address, digest) is None
    entries = (Versioned(resource.address, number, digest, details),) if new else ()
    labels = {"framework": details["framework"], "tags": dict(spec.get("tags") or {})}
    return Performed({"version": number, "digest": digest, **outputs, **labels}, entries)


def _kept(resource: Resource, facts: Facts, outputs: str, effects: Effects) -> Tree | None:
    return effects.reading.artifacts.subtree(outputs, inside_outputs(resource.spec["path"]))


def _metrics(resource: Resource, effects: Effects) -> Mapping[str, Json]:
    """What the run that made the model reported; nothing for a model from a file."""
    if not resource.spec.get("run"):
        return {}
    outputs = effects.known(Address("run", resource.spec["run"])).outputs or {}
    metrics = outputs.get("metrics")
    return metrics if isinstance(metrics, dict) else {}


def _ask_gates(resource: Resource, metrics: Mapping[str, Json], effects: Effects) -> None:
    deployed = deployed_metrics(resource.address, effects.state())
    failed = unmet(resource.spec.get("require") or (), metrics, deployed)
    if failed:
        raise Refusal(
            [
                codes.MLP7012.diagnostic(
                    f"{resource.address} is not registered: {reason}.",
                    hint="Nothing was registered or deployed; what serves goes on serving. Train a better model, or "
                    "change the gate in the manifest.",
                    address=resource.address,
                )
                for reason in failed
            ],
            ExitCode.REFUSED,
        )


def remove(recorded: Recorded, effects: Effects) -> None:
    """Nothing stands in the world for it: versions stay in the workspace."""
