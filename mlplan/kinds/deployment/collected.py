"""What a service keeps of its requests: where, what there is of it by day, and all of it, record by record.

How it is written: `serving/collect.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mlplan.serving.collect import Place


class Day(NamedTuple):
    """The records of one kind about one version of a model, of one day (UTC)."""

    day: str  # 2026-01-31
    place: Place
    files: int
    records: int
    size_bytes: int


def collected_path(home: str, name: str) -> str:
    """Outside the service's own folder, so that neither an update nor its end takes the records away."""
    return os.path.join(home, "collected", name)


def days(folder: str) -> list[Day]:
    """What there is, the oldest first."""
    from mlplan.serving import collect

    found: dict[tuple[str, Place], Day] = {}
    for path, _, size in collect.files(folder):
        place, day = collect.parse_path(path, folder)
        known = found.get((day, place)) or Day(day, place, 0, 0, 0)
        with open(path, "rb") as stream:
            records = sum(1 for _ in stream)
        found[day, place] = Day(day, place, known.files + 1, known.records + records, known.size_bytes + size)
    return [found[key] for key in sorted(found)]


def records(folder: str) -> Iterator[dict[str, Any]]:
    """Every record with what it is about, day by day. The service's own can be read as golden requests."""
    from mlplan.serving import collect

    for place, record in collect.read(folder):
        yield {**place._asdict(), **record}
