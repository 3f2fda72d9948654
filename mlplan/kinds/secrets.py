"""Secrets as parts: a keyed digest, so that a changed secret shows as changed and nothing else of it ever shows.

A digest can be compared with one that was made with the same key. Where the recorded one was made with a key that
isn't here, it stays (nothing is made anew for that), and the digest by the key of here is noted beside it with
whatever is done next. From then on the secret can be compared here too.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from mlplan.fingerprint import Part, Parts
from mlplan.kinds.secret_key import SHARED, comparable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.kinds.protocol import Reading
    from mlplan.manifest.resolved import Resource


NOT_AT_HAND = "not at hand"


class Secrets(NamedTuple):
    """What is known of the secrets that a resource mentions."""

    parts: Mapping[str, Part]
    doubts: tuple[str, ...]  # of which it can't be told whether they changed


def read_secrets(resource: Resource, reading: Reading) -> Secrets:
    """A part for each secret that the resource's values mention.

    Where a secret isn't at hand (a pull request from a fork), it counts as it is recorded, and so it does where its
    digest can't be compared with the recorded one. Where a team shares a key, the latter is mended by an update.
    """
    if not reading.manifest.secrets:
        return Secrets({}, ())
    recorded = reading.state.resources.get(resource.address)
    known = recorded.parts if recorded else {}
    parts: dict[str, Part] = {}
    doubts: list[str] = []
    for name in secrets_in(resource.spec):
        subject = f"secret {name}"
        of_one = _parts(subject, reading.secret(name), known)
        parts |= of_one
        second = of_one.get(beside(subject))
        if second is not None and second != known.get(beside(subject)):
            doubt = f"whether {subject} changed can't be told: its digest was made with a key that isn't here"
            mend = f"; `mlplan apply --replace {resource.address}` makes one with the key of here"
            doubts.append(doubt + (mend if second.role == "mark" else ""))
    return Secrets(parts, tuple(doubts))


def beside(subject: str) -> str:
    """The part with a secret's digest by another key than that of the first."""
    return f"{subject}, second digest"


def _parts(subject: str, now: str | None, recorded: Parts) -> dict[str, Part]:
    """What is to be recorded of a secret whose digest by the key of here is `now`; None: it isn't at hand."""
    kept = {name: recorded[name] for name in (subject, beside(subject)) if name in recorded}
    if not kept:
        return {subject: Part("result", now or NOT_AT_HAND)}
    digests = [str(part.digest) for part in kept.values()]
    if now is None or now in digests:
        return kept
    if any(comparable(now, digest) for digest in digests):
        return {subject: Part("result", now)}
    return {subject: kept[subject], beside(subject): Part("label" if os.environ.get(SHARED) else "mark", now)}


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
