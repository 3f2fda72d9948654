"""What a service keeps of its requests: where, what there is of it by day, and all of it, record by record.

How it is written: `serving/collect.py`. A target whose services can't write to a folder of this machine keeps the
files itself (`Services.kept`) and brings them here when the service goes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.targets.protocols import KeptFile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from mlplan.serving.collect import Place
    from mlplan.targets.protocols import Services


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


def names(home: str) -> list[str]:
    """The services of which something is kept on this machine, whether they are still there or not."""
    folder = os.path.join(home, "collected")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def kept_files(home: str, name: str, services: Services | None) -> Iterator[KeptFile]:
    """The files of a service's records: those on this machine, then those of its target, if it has one."""
    from mlplan.serving import collect

    yield from (KeptFile(*found) for found in collect.opened(collected_path(home, name)))
    if services is not None:
        yield from services.kept(name)


def forgotten(home: str, known: Collection[str]) -> dict[str, int]:
    """What is kept on this machine of services that are no more, `known` being those that are: bytes by name."""
    from mlplan.serving import collect

    gone = (name for name in names(home) if name not in known)
    return {name: sum(size for _, _, size in collect.files(collected_path(home, name))) for name in gone}


def forget(home: str, name: str) -> None:
    """Removes what is kept on this machine of a service."""
    import shutil

    shutil.rmtree(collected_path(home, name))


def days(files: Iterable[KeptFile]) -> list[Day]:
    """What there is, the oldest first."""
    from mlplan.serving import collect

    found: dict[tuple[str, Place], Day] = {}
    for path, lines in files:
        place, day = collect.parse_path(path)
        known = found.get((day, place)) or Day(day, place, 0, 0, 0)
        records = size = 0
        for line in lines:
            records, size = records + 1, size + len(line)
        found[day, place] = Day(day, place, known.files + 1, known.records + records, known.size_bytes + size)
    return [found[key] for key in sorted(found)]


def records(files: Iterable[KeptFile]) -> Iterator[dict[str, Any]]:
    """Every record with what it is about, file by file. The service's own can be read as golden requests."""
    from mlplan.serving import collect

    for place, record in collect.records(files):
        yield {**place._asdict(), **record}
