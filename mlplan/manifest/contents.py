"""Looks into the scripts of runs and inferences, and the files that deployments' tests name. What was found right is
remembered by its stat, so that the next load reads none of them.

What may be in them: `scripts.py` and `requests.py`, which are loaded when there is something to read.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan import __version__
from mlplan.diagnostics import Label
from mlplan.manifest.files import needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlplan.address import Address
    from mlplan.diagnostics import Diagnostic
    from mlplan.manifest.files import ReadableDisk
    from mlplan.source import Source, Span

FORMAT = 1
"""Raised when another look finds more in a file than the last one did."""

MOMENT_NS = 50_000_000
COARSE_MOMENT_NS = 2_100_000_000
"""How long a file counts as just written: it could be written again without its stat telling. Some file systems tell
time by whole seconds, or by two of them."""


class Looked(NamedTuple):
    """What was found in the files."""

    counts: Mapping[str, int]  # of golden requests, by their file
    problems: list[Diagnostic]
    sources: list[Source]  # the files that the problems point into


NOTHING = Looked({}, [], [])


class _File(NamedTuple):
    """A file that is looked into."""

    path: str
    what: str  # "script", "request", "requests"
    address: Address
    field: str  # "script", "test.0.requests"


class Memory:
    """The files that were right when they were last read, kept in a folder; None keeps nothing."""

    def __init__(self, folder: str | None) -> None:
        self._path = os.path.join(folder, "contents.json") if folder is not None else None
        self._version = [FORMAT, __version__]
        self._files: dict[str, list[Any]] | None = None  # [stamp, count of golden requests]
        self._changed = False

    def count(self, name: str, stamp: list[int]) -> int | None:
        """How many golden requests the file holds that had this stamp; None where it has to be read."""
        found = self._all().get(name)
        return found[1] if found is not None and found[0] == stamp else None

    def keep(self, name: str, stamp: list[int], count: int) -> None:
        """Notes that a file is right. One that was written just now isn't noted."""
        _, modified, changed, _ = stamp
        changed = modified if os.name == "nt" else changed
        moment = COARSE_MOMENT_NS if changed % 1_000_000 == 0 else MOMENT_NS
        if changed + moment < time.time_ns():
            self._all()[name] = [stamp, count]
            self._changed = True

    def save(self) -> None:
        """Writes down what is new, where the folder can be written."""
        if not self._changed or self._path is None:
            return
        aside = f"{self._path}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            with open(aside, "w", encoding="utf-8") as stream:
                json.dump({"version": self._version, "files": self._files}, stream)
            os.replace(aside, self._path)
        except OSError:
            return  # the next load is slower, that is all

    def _all(self) -> dict[str, list[Any]]:
        if self._files is None:
            self._files = self._read()
        return self._files

    def _read(self) -> dict[str, list[Any]]:
        if self._path is None:
            return {}
        try:
            with open(self._path, encoding="utf-8") as stream:
                kept = json.load(stream)
            if kept["version"] != self._version:
                return {}
            return {name: [list(stamp), int(count)] for name, (stamp, count) in kept["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}


def look_into(
    specs: Mapping[Address, Mapping[str, Any]],
    disk: ReadableDisk,
    place_of: Callable[[Address, str], Span],
    folder: str | None,
) -> Looked:
    """What is in all scripts and the files of all tests, each looked into once. Those that aren't there are
    `files.py`'s to tell.

    `folder` is where it is remembered which of them are right.
    """
    files: dict[tuple[str, str], _File] = {}
    for file in _files(specs):
        files.setdefault((file.path, file.what), file)
    if not files:
        return NOTHING
    memory = Memory(folder)
    counts: dict[str, int] = {}
    problems: list[Diagnostic] = []
    sources: list[Source] = []
    for file in files.values():
        if disk.kind(file.path) != "file" or disk.is_outside(file.path):
            continue
        name = f"{file.what} {file.path}"
        stamp = disk.stamp(file.path)
        count = memory.count(name, stamp)
        if count is None:
            count, found, source = _look(file, specs[file.address], disk, place_of)
            if found:
                problems += [problem._replace(address=file.address) for problem in found]
                sources += [source] if source is not None else []
                continue
            memory.keep(name, stamp, count)
        if file.what == "requests":
            counts[file.path] = count
    memory.save()
    return Looked(counts, problems, sources)


def _files(specs: Mapping[Address, Mapping[str, Any]]) -> Iterator[_File]:
    for address, spec in specs.items():
        for need in needs(address.kind, spec):
            what = need.field.rpartition(".")[2]
            if type(need.path) is not str:  # of a commit, what stands for a file outside of it
                continue
            if what in ("script", "entry_script"):
                yield _File(need.path, "script", address, need.field)
            elif what in ("request", "requests"):
                yield _File(need.path, what, address, need.field)


_CODES = {"script": "MLP3414", "request": "MLP3413", "requests": "MLP3411"}
"""What is said of a file that can't be read."""


def _look(
    file: _File, spec: Mapping[str, Any], disk: ReadableDisk, place_of: Callable[[Address, str], Span]
) -> tuple[int, list[Diagnostic], Source | None]:
    """How many golden requests a file holds, and what is wrong with it."""
    from mlplan.codes import meaning as codes
    from mlplan.manifest.requests import read_golden, read_request
    from mlplan.manifest.scripts import read_script

    try:
        data = disk.read(file.path)
    except OSError as error:
        code = getattr(codes, _CODES[file.what])
        detail = f"`{file.path}` can't be read: {(error.strerror or str(error)).lower()}."
        label = Label(place_of(file.address, file.field), "can't be read")
        return 0, [code.diagnostic(detail, hint="Name a file that you may read.", labels=[label])], None
    if file.what == "requests":
        read = read_golden(data, file.path)
        return len(read.items), read.problems, read.source
    if file.what == "request":
        return 0, *read_request(data, file.path)
    return 0, *read_script(data, file.path, spec.get("environment") or {})
