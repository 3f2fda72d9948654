"""Keeps what a service was asked and what it answered, as JSON lines by model, version and day.

    <folder>/<model>/<version>/<designation>/<yyyy>/<mm>/<dd>/<seconds>-<writer>-<number>.jsonl

Designation `requests` holds the service's own records: {"time", "request_id", "input", "output"}. The retired
system's collector (`shims/`) writes the others. All of it happens in a thread of its own, off the requests' way: a
full queue drops records and counts them. Files are closed at a size and at midnight; the oldest go when all together
are too large.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import queue
import random
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Callable, NamedTuple

from . import json_text, logs
from .results import as_json
from .schema import KEYS

REQUESTS = "requests"
NOT_KEPT = b"x-mlplan-collect"
"""The header by which a request asks, with `no`, not to be kept: tests do."""
_QUEUE_RECORDS = 10_000
_QUEUE_BYTES = 64 * 2**20
_END_S = 2.0


class Plan(NamedTuple):
    """What is collected: the setting `collect`."""

    folder: str
    inputs: bool = True
    outputs: bool = True
    sample: float = 1.0  # the share of the requests
    without: Sequence[str] = ()  # names of columns and members that are left out
    max_bytes: int = 256 * 2**20  # on disk, all files together
    max_file_bytes: int = 16 * 2**20


class Place(NamedTuple):
    """What a record is about."""

    model: str
    version: str
    designation: str


def read_plan(value: dict[str, Any], default_folder: str) -> Plan:
    """The plan in a setting. Raises: ValueError for an unknown member or a wrong type."""
    unknown = sorted(set(value) - set(Plan._fields))
    if unknown:
        raise ValueError(f"settings.collect: unknown: {', '.join(unknown)}")
    plan = Plan(**{"folder": default_folder, **value})
    if not 0 <= plan.sample <= 1:
        raise ValueError("settings.collect.sample must be between 0 and 1")
    return plan


class Collector:
    """Takes records and writes them later."""

    def __init__(self, plan: Plan, dropped: Callable[[], None]) -> None:
        self.plan = plan
        self.columns: Sequence[str] | None = None  # the names of the model's columns, where it has any
        self.place = Place("service", "1", REQUESTS)  # of the service's own records
        self._dropped = dropped
        self._queue: queue.SimpleQueue[tuple[Place, Callable[[], Iterable[Any]], int] | None] = queue.SimpleQueue()
        self._waiting_bytes = 0
        self._lock = threading.Lock()  # of that number alone
        self._writers: dict[Place, _Writer] = {}
        self._thread = threading.Thread(target=self._work, name="collect", daemon=True)
        self._thread.start()

    def request(self, place: Place, request_id: str, sent: bytes, answered: bytes) -> None:
        """Takes a request and its answer, if the sample wants them."""
        plan = self.plan
        if plan.sample >= 1 or random.random() < plan.sample:
            now = time.time()
            size = len(sent) + len(answered)
            self._put(place, lambda: [self._record(now, request_id, sent, answered)], size)

    def rows(self, place: Place, rows: Sequence[Any], size: int) -> None:
        """Takes rows that a script collects, unless it does so for a request that isn't to be kept."""
        if _asking.get().is_kept:
            self._put(place, lambda: [self._kept(row) for row in rows], size)

    def close(self) -> None:
        """Writes what waits, within a bounded time."""
        self._queue.put(None)
        self._thread.join(_END_S)

    def _put(self, place: Place, make: Callable[[], Iterable[Any]], size: int) -> None:
        if self._queue.qsize() >= _QUEUE_RECORDS or self._waiting_bytes + size > _QUEUE_BYTES:
            self._dropped()
            return
        with self._lock:
            self._waiting_bytes += size
        self._queue.put((place, make, size))

    def _record(self, now: float, request_id: str, sent: bytes, answered: bytes) -> dict[str, Any]:
        record: dict[str, Any] = {"time": logs.iso(now), "request_id": request_id}
        if self.plan.inputs:
            record["input"] = self._kept(_decoded(sent))
        if self.plan.outputs:
            record["output"] = self._kept(_decoded(answered))
        return record

    def _kept(self, value: Any) -> Any:
        return leave_out(value, frozenset(self.plan.without), self.columns) if self.plan.without else value

    # --- the thread

    def _work(self) -> None:
        while True:
            item = self._queue.get()
            if item is None:
                break
            place, make, size = item
            try:
                self._write(place, make())
            except Exception as error:  # a full disk must not end the collecting, nor touch the service
                logs.say(f"not collected: {error}")
                self._dropped()
            with self._lock:
                self._waiting_bytes -= size
            if self._queue.empty():
                self._flush()
        self._flush()

    def _write(self, place: Place, records: Iterable[Any]) -> None:
        writer = self._writers.get(place)
        if writer is None:
            writer = self._writers[place] = _Writer(self.plan, place)
        for record in records:
            writer.write(json_text.dumps(record, as_json) + b"\n")

    def _flush(self) -> None:
        for writer in self._writers.values():
            writer.flush()


class _Writer:
    """The file of the day for one place."""

    def __init__(self, plan: Plan, place: Place) -> None:
        self._plan = plan
        self._root = os.path.join(plan.folder, *place)
        self._file: BinaryIO | None = None
        self._day = ""
        self._size = 0
        self._number = 0
        # No process's number: in containers that write to one folder, each begins with the same ones.
        self._mark = os.urandom(4).hex()

    def write(self, line: bytes) -> None:
        """Appends a line, in a new file where the day or the size says so."""
        day = time.strftime("%Y/%m/%d", time.gmtime())
        if self._file is None or day != self._day or self._size + len(line) > self._plan.max_file_bytes:
            self._turn(day)
        assert self._file is not None
        self._file.write(line)
        self._size += len(line)

    def flush(self) -> None:
        """Hands what is written to the system. A file that made room for another worker's is left behind."""
        if self._file is not None:
            self._file.flush()
            if not os.fstat(self._file.fileno()).st_nlink:
                self._file.close()
                self._file = None

    def _turn(self, day: str) -> None:
        if self._file is not None:
            self._file.close()
        folder = os.path.join(self._root, *day.split("/"))
        os.makedirs(folder, mode=0o700, exist_ok=True)
        make_room(self._plan.folder, self._plan.max_bytes - self._plan.max_file_bytes)
        self._number += 1
        name = f"{int(time.time())}-{self._mark}-{self._number}.jsonl"
        self._file = open(os.path.join(folder, name), "ab")  # noqa: SIM115 - it stays open over many records
        self._day, self._size = day, 0


def make_room(folder: str, limit_bytes: int) -> None:
    """Removes the oldest files below a folder until the rest is within the limit."""
    found = sorted(files(folder), key=lambda entry: entry[1])
    total = sum(size for _, _, size in found)
    for path, _, size in found:
        if total <= limit_bytes:
            return
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        total -= size


def files(folder: str) -> Iterator[tuple[str, float, int]]:
    """Path, time of the last change and size of each file that was collected."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(path)
                yield path, status.st_mtime, status.st_size


def parse_path(path: str) -> tuple[Place, str]:
    """What the records of a file are about, and their day: 2026-01-31. The path is relative to the folder."""
    model, version, designation, *day, _ = path.split("/")
    return Place(model, version, designation), "-".join(day)


def opened(folder: str) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Each file below a folder, by path: relative, and its lines, which are read before the next one is asked for."""
    for path in sorted(path for path, _, _ in files(folder)):
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as stream:  # the oldest may go meanwhile
            yield os.path.relpath(path, folder).replace(os.sep, "/"), stream


def records(found: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[tuple[Place, Any]]:
    """All records of these files, each with what it is about."""
    for path, lines in found:
        place, _ = parse_path(path)
        for line in lines:
            if line.endswith(b"\n"):  # the last one may still be written
                yield place, json_text.loads(line)


def read(folder: str) -> Iterator[tuple[Place, Any]]:
    """All records below a folder in the order of their days, each with what it is about."""
    return records(opened(folder))


def leave_out(value: Any, names: frozenset[str], columns: Sequence[str] | None) -> Any:
    """A body without the named columns, in whichever form it holds them."""
    if isinstance(value, list):
        kept = [item for item in value if not (isinstance(item, dict) and item.get("name") in names)]
        return [leave_out(item, names, columns) for item in kept]
    if not isinstance(value, dict):
        return value
    found = {name: item for name, item in value.items() if name not in names}
    listed = found.get("columns")
    if isinstance(listed, list) and isinstance(found.get("data"), list):
        found["columns"] = [name for name in listed if name not in names]
        found["data"] = _without_places(found["data"], [name in names for name in listed])
    else:
        for key in KEYS:
            if isinstance(found.get(key), list):
                rows = [_tensor_without(row, names, columns) for row in found[key]]
                found[key] = _without_columns(rows, names, columns)
    return {name: leave_out(item, names, columns) for name, item in found.items()}


def _without_columns(rows: Sequence[Any], names: frozenset[str], columns: Sequence[str] | None) -> list[Any]:
    """Rows without the named columns; a script's, whose columns nobody knows the names of, by their numbers."""
    if columns is not None:
        return _without_places(rows, [name in names for name in columns])
    return [
        [cell for place, cell in enumerate(row) if str(place) not in names] if isinstance(row, list) else row
        for row in rows
    ]


def _tensor_without(value: Any, names: frozenset[str], columns: Sequence[str] | None) -> Any:
    """A tensor of rows, whose data come flat, without the named columns; anything else as it is."""
    shape, data = (value.get("shape"), value.get("data")) if isinstance(value, dict) else (None, None)
    if not isinstance(shape, list) or not isinstance(data, list) or list(map(type, shape)) != [int, int]:
        return value
    width = shape[1]
    if not data or len(data) != shape[0] * width:
        return value
    rows = _without_columns([data[start : start + width] for start in range(0, len(data), width)], names, columns)
    return {**value, "shape": [shape[0], len(rows[0])], "data": [cell for row in rows for cell in row]}


def _without_places(rows: Sequence[Any], dropped: Sequence[bool]) -> list[Any]:
    """Rows that are lists of the right length, without the dropped places; other rows as they are."""
    fitting = [isinstance(row, list) and len(row) == len(dropped) for row in rows]
    return [
        [cell for cell, gone in zip(row, dropped) if not gone] if fits else row for row, fits in zip(rows, fitting)
    ]


def _decoded(body: bytes) -> Any:
    try:
        return json_text.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


class Asking(NamedTuple):
    """The request that a script is answering."""

    request_id: str  # of requests that are one call: all, with commas
    is_kept: bool = True  # tests aren't, nor is the sample of the start


_NOBODY = Asking("")
# A thread, or a task of an async script, answers one at a time. What a script starts by itself may answer none.
_asking = contextvars.ContextVar("asking", default=_NOBODY)


def answering(asking: Asking) -> None:
    """Notes which request the script answers from now on, in this thread or task."""
    _asking.set(asking)


def request_id() -> str:
    """The id of the request that the script answers just now; empty where that isn't known."""
    return _asking.get().request_id


_current: Collector | None = None


def install(collector: Collector | None) -> None:
    """Makes a collector known to the scripts of this process."""
    global _current
    _current = collector


def current() -> Collector | None:
    """The collector of this process; None where nothing is collected."""
    return _current
