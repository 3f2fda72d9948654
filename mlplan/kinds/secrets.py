"""Secrets as parts: a keyed digest, so that a changed secret shows as changed and nothing else of it ever shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.fingerprint import Part
from mlplan.kinds.secret_key import comparable

if TYPE_CHECKING:
    from mlplan.kinds.protocol import Reading
    from mlplan.manifest.resolved import Resource


NOT_AT_HAND = "not at hand"


def secret_parts(resource: Resource, reading: Reading) -> dict[str, Part]:
    """A part for each secret that the resource's values mention.

    Where a secret isn't at hand (a pull request from a fork), or its digest can't be compared with the recorded one
    (another machine, without the same key), it counts as it is recorded.
    """
    if not reading.manifest.secrets:
        return {}
    recorded = reading.state.resources.get(resource.address)
    parts: dict[str, Part] = {}
    for name in secrets_in(resource.spec):
        old = recorded.parts.get(f"secret {name}") if recorded else None
        digest = reading.secret(name)
        if old is not None and old.digest and (digest is None or not comparable(digest, old.digest)):
            digest = old.digest
        parts[f"secret {name}"] = Part("result", digest or NOT_AT_HAND)
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
