"""Gates asked: what a model has to reach before it is registered. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.manifest.gates import parse_gate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlplan.address import Address
    from mlplan.json_types import Json
    from mlplan.state.records import State


def unmet(requirements: Iterable[str], metrics: Mapping[str, Json], deployed: Mapping[str, Json] | None) -> list[str]:
    """Why gates aren't met, a reason for each that isn't; empty where all are.

    `deployed` holds the metrics of the version now in service; without one, a gate against it is met.
    """
    reasons = (_why_unmet(text, metrics, deployed) for text in requirements)
    return [reason for reason in reasons if reason]


def _why_unmet(text: str, metrics: Mapping[str, Json], deployed: Mapping[str, Json] | None) -> str:
    gate = parse_gate(text)
    if gate is None:
        return f"`{text}` is no gate that can be read"
    value = latest(metrics.get(gate.metric))
    if value is None:
        reported = ", ".join(sorted(metrics)) or "none at all"
        return f"`{text}` can't be told, since the run reported no number `{gate.metric}` (it reported {reported})"
    if not gate.deployed:
        return "" if gate.holds(value) else f"`{text}` is not met: {gate.metric} is {value:g}"
    if deployed is None:
        return ""
    base = latest(deployed.get(gate.deployed))
    if base is None:
        return f"`{text}` can't be told, since the version in service has no number `{gate.deployed}`"
    if gate.holds(value, base):
        return ""
    return f"`{text}` is not met: {gate.metric} is {value:g}, {gate.deployed} of the version in service {base:g}"


def latest(value: Json) -> float | None:
    """A metric as a number; of a series, its last one."""
    if isinstance(value, (list, tuple)) and value:
        value = value[-1]
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:  # a whole number beyond all that a gate can name
        return None


def deployed_metrics(model: Address, state: State) -> Mapping[str, Json] | None:
    """The metrics of the version of `model` that a service serves now, or None where none does."""
    for recorded in state.resources.values():
        models = recorded.outputs.get("models") if recorded.address.kind == "deployment" else None
        digest = models.get(model.name) if isinstance(models, dict) else None
        version = state.version_of(model, str(digest)) if digest else None
        if version is not None:
            metrics = version.details.get("metrics")
            return metrics if isinstance(metrics, dict) else {}
    return None
