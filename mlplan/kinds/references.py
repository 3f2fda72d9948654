"""What a resource's `${{ }}` references count for: parts of its fingerprint, by what the others yield."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlplan.fingerprint import Part, known, unknown
from mlplan.json_types import Json, digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.manifest.resolved import Resource
    from mlplan.plan.make import Lookup

BYTES = {
    ("dataset", "path"): "digest",
    ("dataset", "digest"): "digest",
    ("run", "outputs"): "outputs",
    ("model", "path"): "digest",
    ("model", "digest"): "digest",
}
"""Attributes that stand for bytes: what counts is the digest that stands at this key of the outputs."""


def reference_parts(resource: Resource, lookup: Lookup) -> tuple[dict[str, Part], dict[str, str]]:
    """A part for each thing that the resource's values mention, and details for their reasons."""
    parts: dict[str, Part] = {}
    details: dict[str, str] = {}
    for reference in resource.references:
        if not reference.attribute:
            continue  # a field that just names a resource; its kind knows what that means
        address, attribute = reference.address, reference.attribute
        key = BYTES.get((address.kind, attribute))
        name = f"{address.kind} {address.name}" if key else f"{address.kind} {address.name} {attribute}"
        if address.kind == "run" and key:
            name += " outputs"
        yielded = lookup(address)
        if yielded.detail:
            details[name] = yielded.detail
        if key is None:
            value = attribute_of(yielded.outputs, attribute)
            parts[name] = unknown("result", str(address)) if value is None else known("result", value)
        elif yielded.outputs is None or not yielded.outputs.get(key):
            parts[name] = unknown("result", str(address))
        else:
            version = yielded.outputs.get("version")
            parts[name] = Part("result", digest_of(yielded.outputs[key]), version)
    return parts, details


def attribute_of(outputs: Mapping[str, Json] | None, attribute: str) -> Json:
    """The value at a dotted attribute such as `metrics.accuracy`, or None."""
    value: Json = outputs
    for name in attribute.split("."):
        if not hasattr(value, "get"):
            return None
        value = value.get(name)  # type: ignore[union-attr]  # a mapping: it has get
    return value


def written(value: Any) -> Json:
    """A field as somebody wrote it: a mapping without the parts that were left out, any other value as it is."""
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
