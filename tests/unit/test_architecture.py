"""Keeps the walls between mlplan's rooms, as `docs/architecture.md` draws them: who may import whom, what is pure."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

import mlplan

PACKAGE = os.path.dirname(os.path.abspath(mlplan.__file__))

FIRST = ("source", "diagnostics", "address", "events", "errors", "resources", "json_types", "world", "codes")
"""The words that everyone speaks. `errors` and `codes` are among them, so all rooms refuse in one way."""
CORE = ("graph", "fingerprint", "state", "plan")
TARGETS = ("targets.protocols", "targets.registry")
HOSTING = "targets.hosting"
"""What the targets share that host services. No target itself, and for targets alone."""

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(FIRST, FIRST),
    "fingerprint": FIRST,
    "state": (*FIRST, "fingerprint"),
    "manifest": FIRST,
    "graph": FIRST,
    "plan": (*FIRST, "graph", "fingerprint", "state", "manifest"),
    "workspace": (*FIRST, "state", "fingerprint"),
    "lock": FIRST,
    "render": (*FIRST, "manifest", "lock"),
    "machine": FIRST,
    "serving": (),
    "tracking.shim": (),
    "tracking": (*FIRST, "tracking.shim", "targets.protocols"),
    "targets.protocols": FIRST,
    "targets.registry": (*FIRST, "targets.protocols"),
    HOSTING: (*FIRST, "targets.protocols", "machine"),
    # A target carries the scoring runtime to where it serves, and gives scripts what they report by.
    "targets.*": (*FIRST, *TARGETS, HOSTING, "machine", "render", "manifest", "serving", "tracking"),
    # Golden requests and collected records are files of the scoring runtime's.
    "kinds": (*FIRST, *CORE, "manifest", "lock", "workspace", "targets.protocols", "tracking", "serving"),
    "apply": (*FIRST, *CORE, "lock", "workspace", "targets.protocols", "kinds"),
    "views": (*FIRST, *CORE, "workspace", "kinds"),
    "cli": (*FIRST, *CORE, "manifest", "lock", "workspace", *TARGETS, "render", "kinds", "apply", "views"),
    "ci": (*FIRST, "manifest", "views"),  # what jobs and hooks call beside the command line
    "__main__": ("cli",),
    "__init__": ("tracking.shim",),
}
"""The rooms that each room may import, besides itself and the version in `mlplan`."""

PURE = ("address", "diagnostics", "events", "source", "world", "graph", "fingerprint", "state", "plan")
IMPURE_MODULES = {
    *("os", "io", "pathlib", "shutil", "tempfile", "glob", "subprocess", "multiprocessing", "threading", "signal"),
    *("socket", "asyncio", "httpx", "docker", "psutil", "time", "datetime", "random", "secrets", "uuid"),
    *("platform", "getpass", "logging"),
}
IMPURE_CALLS = frozenset({"open", "print", "input"})


class Import(NamedTuple):
    """One import statement, wherever it stands in its file."""

    module: str  # who imports, without the leading "mlplan."
    line: int
    imported: str  # what, absolute

    def __str__(self) -> str:
        return f"mlplan/{self.module.replace('.', '/')}.py:{self.line} imports {self.imported}"


def modules() -> Iterator[tuple[str, str]]:
    """Each module's name below `mlplan`, and its path."""
    for here, folders, files in os.walk(PACKAGE):
        folders[:] = [name for name in folders if not name.startswith(("_", "."))]
        for file in files:
            if file.endswith(".py"):
                path = os.path.join(here, file)
                yield os.path.relpath(path, PACKAGE)[:-3].replace(os.sep, "."), path


@cache
def parsed(path: str) -> ast.Module:
    with open(path, encoding="utf-8") as stream:
        return ast.parse(stream.read(), path)


@cache
def imports() -> tuple[Import, ...]:
    return tuple(read_imports())


def read_imports() -> Iterator[Import]:
    for module, path in modules():
        package = ["mlplan", *module.split(".")[:-1]]
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(module, node.lineno, alias.name)
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                start = ".".join([*base, *([node.module] if node.module else [])])
                for alias in node.names:
                    deeper = f"{start}.{alias.name}"
                    yield Import(module, node.lineno, deeper if is_module(deeper) else start)


def is_module(name: str) -> bool:
    path = os.path.join(os.path.dirname(PACKAGE), *name.split("."))
    return os.path.isfile(path + ".py") or os.path.isdir(path)


def room_of(module: str) -> str:
    """The room of a module named without the leading `mlplan.`."""
    first, _, rest = module.partition(".")
    second = rest.split(".")[0]
    if first == "targets" and second not in ("", "__init__", "protocols", "registry"):
        return f"targets.{second}"
    if (first, second) in {("targets", "protocols"), ("targets", "registry"), ("tracking", "shim")}:
        return f"{first}.{second}"
    return first


def allowed(room: str, other: str) -> bool:
    row = MAY_IMPORT.get(room, MAY_IMPORT["targets.*"] if room.startswith("targets.") else None)
    assert row is not None, f"mlplan/{room} is a new room: say here what it may import"
    return other == room or other in row


def test_rooms_import_only_what_they_may() -> None:
    crossings = [
        found
        for found in imports()
        if found.imported.startswith("mlplan.")
        and room_of(found.module) not in ("targets", "targets.__init__")
        and not allowed(room_of(found.module), room_of(found.imported.removeprefix("mlplan.")))
    ]
    assert [str(found) for found in crossings] == []


def test_no_room_may_import_what_it_does_not() -> None:
    """What nobody imports is taken off the table, so that it says what the rooms are like."""
    used = {(room_of(each.module), room_of(each.imported.removeprefix("mlplan."))) for each in imports()}
    targets = {room for room, _ in used if room.startswith("targets.") and room not in MAY_IMPORT}
    unused = [
        f"{room} imports nothing of {other}"
        for room, others in MAY_IMPORT.items()
        if room != "cli"  # it stands above them all
        for other in set(others) - set(FIRST)
        if not any((one, other) in used for one in (targets if room == "targets.*" else [room]))
    ]
    assert sorted(unused) == []


def test_a_wall_would_be_noticed() -> None:
    assert not allowed("plan", "workspace")
    assert not allowed("serving", "errors")
    assert not allowed("targets.docker", "targets.local")
    assert not allowed("views", "cli")
    assert allowed("cli", "views")


@pytest.mark.parametrize("room", PURE)
def test_the_pure_core_reads_no_file_clock_or_environment(room: str) -> None:
    found = [
        str(each)
        for each in imports()
        if room_of(each.module) == room and each.imported.split(".")[0] in IMPURE_MODULES
    ]
    for module, path in modules():
        if room_of(module) == room:
            found += [
                f"mlplan/{module.replace('.', '/')}.py:{node.lineno} calls {node.func.id}"
                for node in ast.walk(parsed(path))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS
            ]
    assert found == []


def test_a_target_is_named_only_by_the_tables() -> None:
    """Who adds a target touches its folder and the registry: nothing else imports one."""
    named = [
        str(found)
        for found in imports()
        if room_of(found.imported.removeprefix("mlplan.")).startswith("targets.")
        and room_of(found.imported.removeprefix("mlplan.")) not in (*TARGETS, HOSTING)
        and room_of(found.module) != room_of(found.imported.removeprefix("mlplan."))
    ]
    assert named == []
