"""Puts the rows of several requests to an entry script together, and takes the answers apart again.

Only what is plainly a list of rows is stacked: a JSON object with one member, a list; or one schema-decorated
parameter that is a list. The answer must have one item per row, alone or in each member of an object; anything else
is an error, and the requests are then asked one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from . import json_text


class Rows(NamedTuple):
    """The rows of one request."""

    key: str  # requests with the same one go together: the name of the member that holds the rows
    value: Any  # the rows
    rows: int


def from_arguments(value: Any, *, is_text: bool) -> Rows | None:
    """The rows in the argument of `run`, as text or decoded; None where they aren't plain rows."""
    if not is_text:
        return Rows("", value, len(value)) if isinstance(value, list) and value else None
    try:
        decoded = json_text.loads(value)
    except ValueError:
        return None
    if not isinstance(decoded, dict) or len(decoded) != 1:
        return None
    ((name, rows),) = decoded.items()
    return Rows(name, {name: rows}, len(rows)) if isinstance(rows, list) and rows else None


def join(values: Sequence[Any], *, is_text: bool) -> Any:
    """One argument with the rows of all."""
    if not is_text:
        return [row for rows in values for row in rows]
    (name,) = values[0]
    return json_text.dumps({name: [row for value in values for row in value[name]]}).decode()


def split(result: Any, counts: Sequence[int]) -> list[Any]:
    """Each request's part of a result. Raises: ValueError where it isn't one item per row."""
    if hasattr(result, "tolist"):
        result = result.tolist()
    if isinstance(result, dict):
        parts = {name: split(value, counts) for name, value in result.items()}
        return [{name: part[place] for name, part in parts.items()} for place in range(len(counts))]
    if not isinstance(result, list) or len(result) != sum(counts):
        raise ValueError("run() didn't give one item per row")
    ends = [sum(counts[: place + 1]) for place in range(len(counts))]
    return [result[end - count : end] for end, count in zip(ends, counts)]
