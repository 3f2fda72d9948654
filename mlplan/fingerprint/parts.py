"""A fingerprint's parts: named, so that a plan can say which of them changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from mlplan.json_types import Json, digest_of

FORMAT = 1
"""Salt: raised when the meaning of a part changes, so that old and new fingerprints never meet by chance."""

Role = Literal["result", "replace", "check", "label", "mark"]
"""What a difference in a part asks for.

result    the result has to be made anew: run, register, update
replace   the resource has to be replaced as a whole
check     a gate or a test has to be asked again; the result stands
label     tags, descriptions: only the record changes
mark      nothing: it is noted with whatever else is done
"""


class Part(NamedTuple):
    """One thing that counts, by content. `value` is a short form to show as old -> new, or None for files
    and the like, of which only 'changed' can be said."""

    role: Role
    digest: str | None  # None: known after apply
    value: Json = None


Parts = Mapping[str, Part]
"""Parts by the name a user knows them by: `--regularization`, `scripts/train.py`, `package scikit-learn`."""


def known(role: Role, value: Json, *, show: bool = True) -> Part:
    """A part whose digest is that of a value; the value is shown unless it is long or says nothing."""
    return Part(role, digest_of(value), value if show else None)


def unknown(role: Role, waits_for: str) -> Part:
    """A part that only the apply of `waits_for` (an address) can tell."""
    return Part(role, None, waits_for)


def is_known(parts: Parts, roles: Iterable[Role] = ("result", "replace", "check", "label", "mark")) -> bool:
    """Whether every part of these roles has a digest."""
    wanted = tuple(roles)
    return all(part.digest is not None for part in parts.values() if part.role in wanted)


def fingerprint(parts: Parts) -> str | None:
    """The digest over all parts of role `result`, or None while one of them is unknown.

    Labels and checks don't count: the same bytes come out whatever they say. Nor does what decides only where
    a resource stands (`replace`).
    """
    counted: dict[str, Json] = {}
    for name, part in parts.items():
        if part.role == "result":
            if part.digest is None:
                return None
            counted[name] = part.digest
    return digest_of({"format": FORMAT, "parts": counted})
