"""The index of the user's files: what each holds, remembered by its stat; what didn't change isn't read again.

A file is believed unchanged if its size, times and inode are as they were, and if it was last changed well before it
was read: one that was written at the very moment could be written again without any of them telling.

    cache/files/index.json     stamps of whole groups (stamp.py), meanings of Python files, values of YAML files
    cache/files/<name>.bin     tables by file (table.py): one for all small groups, one for each large one

All of it is a cache: damaged parts count as absent.
"""

from __future__ import annotations

import json
import os
import time
from array import array
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import NamedTuple

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.fingerprint.meaning import PythonMeaning
from mlplan.json_types import Json
from mlplan.workspace.folder import read_file
from mlplan.workspace.protocols import FileEntry, Listing, OnBytes, Tree
from mlplan.workspace.reading import COLUMNS, Found, digest_files, look_at, unreadable, walk
from mlplan.workspace.stamp import Complicated, Stamp, stamp_folder, stamp_paths
from mlplan.workspace.table import Table, decode_table
from mlplan.workspace.trees import tree_of

LARGE = 500
"""Files from which on a group has a table of its own."""

MOMENT_NS = 50_000_000
COARSE_MOMENT_NS = 2_100_000_000
"""How long a file counts as just written. Some file systems tell time by whole seconds, or by two of them."""

SMALL = "small"
"""The name of the table of all small groups."""

_FORMAT = 1


class Group(NamedTuple):
    """A listing as it came out the last time."""

    stamp: str
    tree: str
    files: int
    size: int


class FileIndex:
    """`Files` for one project. Safe to use from several threads."""

    def __init__(
        self,
        root: str,
        cache: str,
        write: Callable[[str, bytes], None],
        *,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        from threading import RLock

        self._root = root
        self._cache = cache  # absolute path of the folder of the tables
        self._write = write
        self._now_ns = now_ns
        self._lock = RLock()
        self._tables: dict[str, Table] = {}
        self._used: dict[str, dict[str, None]] = {}  # paths asked for, by table
        self._changed = False
        self._groups: dict[str, Group] = {}
        self._python: dict[str, PythonMeaning] = {}
        self._values: dict[str, Json] = {}
        self._load()

    def digest(self, path: str) -> str | None:
        path = self._absolute(path)
        try:
            found = look_at([path], [path])
        except Refusal:
            if os.path.lexists(path):
                raise
            return None
        return self._digests(SMALL, found, None)[0][0]

    def python(self, path: str) -> PythonMeaning | None:
        digest = self.digest(path)
        if digest is None:
            return None
        known = self._python.get(digest)
        if known is None:
            from mlplan.fingerprint.python import python_meaning

            content = self._read(path)
            known = self._python[sha256(content).hexdigest()] = python_meaning(content)
            self._changed = True
        return known

    def value(self, path: str) -> Json:
        content = self._read(path)
        digest = sha256(content).hexdigest() if path.endswith((".yaml", ".yml")) else ""
        if digest in self._values:
            return self._values[digest]
        from mlplan.workspace.values import parse

        value = parse(content, path)
        if digest:  # YAML takes longer to import than to parse
            self._values[digest] = value
            self._changed = True
        return value

    def listing(self, files: Mapping[str, str], *, on_bytes: OnBytes | None = None) -> Listing:
        names = sorted(files)
        paths = [self._absolute(files[name]) for name in names]
        known_by = sha256("\0".join((*names, *paths)).encode("utf-8", "surrogateescape")).hexdigest()
        anchor = os.path.commonpath(paths) if paths else ""
        return self._listing(
            f"files:{known_by}",
            f"files:{anchor}",
            lambda expected: stamp_paths(paths),
            lambda: look_at(names, paths),
            on_bytes,
        )

    def folder(self, path: str, *, on_bytes: OnBytes | None = None) -> Listing:
        path = self._absolute(path)
        key = f"folder:{path}"
        return self._listing(
            key, key, lambda expected: stamp_folder(path, expected=expected), lambda: walk(path), on_bytes
        )

    def remembered(self, found: Found) -> list[str | None]:
        """The digests of files that are known, from what this process asked for so far, not to have changed."""
        with self._lock:
            tables = list(self._tables.values())
            return [
                next((digest for table in tables if (digest := table.digest(path, found.stats, index))), None)
                for index, path in enumerate(found.paths)
            ]

    def save(self) -> None:
        try:
            with self._lock:
                for name, table in self._tables.items():
                    table.forget_others(self._used.get(name, {}))
                    if table.changed:
                        self._write(f"{self._cache}/{name}.bin", table.encode())
                        table.changed = False
                if self._changed:
                    self._write(f"{self._cache}/index.json", self._encode())
                    self._changed = False
        except (OSError, Refusal):
            return

    def _listing(
        self,
        key: str,
        table_key: str,
        stamp: Callable[[int], Stamp],
        find: Callable[[], Found],
        on_bytes: OnBytes | None,
    ) -> Listing:
        """A listing by its stamp, where that is as it was; otherwise file by file, and stamped for the next time."""
        before = self._groups.get(key)
        began_ns = self._now_ns()
        first = _try_stamp(stamp, before.files if before else 0)
        if before is not None and first is not None and first.digest == before.stamp:

            def look_again() -> tuple[FileEntry, ...]:
                tree = self._by_file(before.files, table_key, find(), None)[0]
                if tree.digest != before.tree:
                    raise Refusal([codes.MLP4204.diagnostic(f"{table_key.partition(':')[2]} changed meanwhile.")])
                return tree.files

            return Listing(Tree(before.tree, look_again, count=before.files, size=before.size), 0)
        found = find()
        tree, hashed_bytes = self._by_file(len(found.names), table_key, found, on_bytes)
        second = None if first is None or _is_fresh(first.newest_ns, began_ns) else _try_stamp(stamp, tree.count)
        with self._lock:
            if first is not None and second is not None and first.digest == second.digest:
                self._groups[key] = Group(first.digest, tree.digest, tree.count, tree.size)
                self._changed = True
            elif self._groups.pop(key, None) is not None:
                self._changed = True
        return Listing(tree, hashed_bytes)

    def _by_file(self, count: int, table_key: str, found: Found, on_bytes: OnBytes | None) -> tuple[Tree, int]:
        table = SMALL if count < LARGE else sha256(table_key.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        digests, hashed_bytes = self._digests(table, found, on_bytes)
        sizes = found.stats[0::COLUMNS]
        executables = found.executables
        return tree_of(
            FileEntry(name, digest, size, name in executables)
            for name, digest, size in zip(found.names, digests, sizes, strict=True)
        ), hashed_bytes

    def _digests(self, name: str, found: Found, on_bytes: OnBytes | None) -> tuple[list[str], int]:
        """The digests of files, and how many bytes had to be read for them."""
        began_ns = self._now_ns()
        with self._lock:
            table = self._table(name)
            self._used.setdefault(name, {}).update(dict.fromkeys(found.paths))
            known = [table.digest(path, found.stats, index) for index, path in enumerate(found.paths)]
        unknown = [index for index, digest in enumerate(known) if digest is None]
        if not unknown:
            return [digest or "" for digest in known], 0
        sizes = [found.stats[index * COLUMNS] for index in unknown]
        digests = digest_files([found.paths[index] for index in unknown], sizes, on_bytes)
        with self._lock:
            for index, digest in zip(unknown, digests, strict=True):
                known[index] = digest
                if not _is_fresh(_changed_ns(found.stats, index), began_ns):
                    table.put(found.paths[index], found.stats, index, digest)
        return [digest or "" for digest in known], sum(sizes)

    def _table(self, name: str) -> Table:
        if name not in self._tables:
            self._tables[name] = decode_table(_read_cache(f"{self._cache}/{name}.bin"))
        return self._tables[name]

    def _read(self, path: str) -> bytes:
        path = self._absolute(path)
        try:
            return read_file(path)
        except OSError as error:
            raise unreadable(error, path) from error

    def _absolute(self, path: str) -> str:
        return os.path.normpath(path if os.path.isabs(path) else f"{self._root}/{path}")

    def _load(self) -> None:
        try:
            known = json.loads(_read_cache(f"{self._cache}/index.json") or b"{}")
            if known.get("format") == _FORMAT:
                self._groups = {key: Group(*group) for key, group in known["groups"].items()}
                self._python = {
                    key: PythonMeaning(digest, tuple(imports), dynamic)
                    for key, (digest, imports, dynamic) in known["python"].items()
                }
                self._values = known["values"]
        except (ValueError, TypeError, KeyError, AttributeError):
            self._groups, self._python, self._values = {}, {}, {}

    def _encode(self) -> bytes:
        known = {"format": _FORMAT, "groups": self._groups, "python": self._python, "values": self._values}
        return json.dumps(known, separators=(",", ":")).encode()


def _try_stamp(stamp: Callable[[int], Stamp], expected: int) -> Stamp | None:
    try:
        return stamp(expected)
    except Complicated:
        return None


def _changed_ns(stats: array[int], index: int) -> int:
    """When a file last changed. A user can set the time of modification, but not that of the change; Windows tells
    only the former."""
    return stats[index * COLUMNS + (1 if os.name == "nt" else 2)]


def _is_fresh(changed_ns: int, now_ns: int) -> bool:
    moment = COARSE_MOMENT_NS if changed_ns % 1_000_000 == 0 else MOMENT_NS
    return changed_ns + moment >= now_ns


def _read_cache(path: str) -> bytes | None:
    try:
        return read_file(path)
    except OSError:
        return None
