"""Secrets as parts: a keyed digest, so that a changed secret shows as changed and nothing else of it ever shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.fingerprint import Part

if TYPE_CHECKING:
    from mlplan.kinds.protocol import Reading
    from mlplan.manifest.resolved import Resource


def secret_parts(resource: Resource, reading: Reading) -> dict[str, Part]:
    """A part for each secret that the resource's values mention.

    Where a secret isn't at hand (a pull request from a fork), it counts as it is recorded.
    """
    if not reading.manifest.secrets:
        return {}
    recorded = reading.state.resources.get(resource.address)
    parts: dict[str, Part] = {}
    for name in secrets_in(resource.spec):
        digest = reading.secret(name)
        if digest is None:
            old = recorded.parts.get(f"secret {name}") if recorded else None
            digest = old.digest if old else "not at hand"
        parts[f"secret {name}"] = Part("result", digest)
    return parts


def secrets_in(value: object) -> list[str]:
    """The names of the secrets that a value mentions, sorted."""
    from mlplan.manifest.references import find

    found: set[str] = set()
    rest: list[object] = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, str):
            found.update(mention.name for mention in find(item) if mention.scope == "secret")
        elif isinstance(item, dict):
            rest.extend(item.values())
        elif isinstance(item, (list, tuple)):
            rest.extend(item)
    return sorted(found)
