"""Reads durations (`1h30m`) and sizes (`2Gi`) as they are written in a manifest."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip


def seconds(duration: str) -> float:
    """`1h30m` in seconds: 5400.0. Raises ValueError for what is no duration."""
    terms = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)", duration)
    if not terms or "".join(number + unit for number, unit in terms) != duration:
        raise ValueError(duration)
    return sum(float(number) * _SECONDS[unit] for number, unit in terms)


def size_in_bytes(size: str) -> int:
    """`1.5Gi` in bytes: 1610612736. Raises ValueError for what is no size."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([A-Za-z]+)", size)
    if match is None or match[2] not in _BYTES:
        raise ValueError(size)
    return int(float(match[1]) * _BYTES[match[2]])
