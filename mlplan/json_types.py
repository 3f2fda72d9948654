"""JSON values as types, and the canonical bytes that digests are taken of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Union

Json = Union[None, bool, int, float, str, Sequence["Json"], Mapping[str, "Json"]]  # noqa: UP007 - X | Y can't recur


def canonical(value: Json) -> bytes:
    """The one spelling of `value`: keys sorted, no spaces, UTF-8. Raises ValueError for NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def is_utf8(text: str) -> bool:
    """Whether text from the system came as UTF-8, and so has canonical bytes: of others Python makes surrogates."""
    return text.isascii() or text.encode(errors="replace").decode() == text


def digest_of(value: Json) -> str:
    """The sha256 of the canonical bytes of `value`, as 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()
