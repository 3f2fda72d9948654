"""Which files a resource needs on disk, and which of them are missing. Asks the disk for existence alone.

Works on specs as resolving leaves them, so that a cached load repeats just this. What is in scripts and the
files of tests: `contents.py`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from mlplan.codes import meaning as codes
from mlplan.diagnostics import Diagnostic, Label, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlplan.address import Address
    from mlplan.codes import Code
    from mlplan.source import Span

Kind = Literal["file", "folder", ""]


MANY_NAMES = 2000
"""In a folder with more, no similar name is looked for: it would take longer than it helps."""


class Disk(Protocol):
    """What is asked of the project's folder. Paths are as in the manifest."""

    def kind(self, path: str) -> Kind:
        """What stands there; "" for nothing."""

    def names(self, folder: str) -> list[str]:
        """The names in a folder; none where it can't be read."""

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in a folder; those left out that are links to what they lie in."""

    def is_outside(self, path: str) -> bool:
        """Whether a path leads out of the project by a link."""


class ReadableDisk(Disk, Protocol):
    """One whose files can be looked into."""

    def stamp(self, path: str) -> list[int]:
        """What tells that a file is unchanged: size, times of modification and of change in ns, inode."""

    def read(self, path: str) -> bytes:
        """A file's content. Raises: OSError."""


class RealDisk:
    """The folder `root` on this machine, as it was when it was first asked."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._real_root = os.path.realpath(root)
        self._kinds: dict[str, Kind] = {}
        self._stamps: dict[str, list[int]] = {}
        self._outside: dict[str, bool] = {}
        self._names: dict[str, list[str]] = {}
        self._real_folders: dict[str, str] = {}

    def kind(self, path: str) -> Kind:
        """What stands there; "" for nothing."""
        found = self._kinds.get(path)
        if found is None:
            found = self._kinds[path] = self._look(path)
        return found

    def _look(self, path: str) -> Kind:
        import stat

        try:
            seen = os.stat(os.path.join(self._root, path))
        except (OSError, ValueError):
            return ""
        self._stamps[path] = [seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino]
        return "folder" if stat.S_ISDIR(seen.st_mode) else "file"

    def stamp(self, path: str) -> list[int]:
        """As it was when the path was first looked at: what is read later is at least as new."""
        self.kind(path)
        return self._stamps.get(path, [])

    def read(self, path: str) -> bytes:
        """A file's content. Raises: OSError."""
        with open(os.path.join(self._root, path), "rb") as stream:
            return stream.read()

    def names(self, folder: str) -> list[str]:
        """The names in a folder; none where it can't be read."""
        found = self._names.get(folder)
        if found is None:
            try:
                found = os.listdir(os.path.join(self._root, folder))
            except (OSError, ValueError):
                found = []
            self._names[folder] = found
        return found

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in a folder; those left out that are links to what they lie in."""
        here = os.path.join(self._root, folder)
        try:
            with os.scandir(here) as entries:
                return [entry.name for entry in entries if entry.is_dir() and not _is_around(entry, here)]
        except (OSError, ValueError):
            return []

    def is_outside(self, path: str) -> bool:
        """Whether a path leads out of the project by a link. One that says so (`../data`, `/data`) doesn't count."""
        found = self._outside.get(path)
        if found is None:
            found = self._outside[path] = not is_written_outside(path) and self._leads_out(path)
        return found

    def _leads_out(self, path: str) -> bool:
        full = os.path.join(self._root, path)
        folder = os.path.dirname(full)
        real = self._real_folders.get(folder)
        if real is None:
            real = self._real_folders[folder] = os.path.realpath(folder)
        if os.path.islink(full):
            real = os.path.realpath(full)
        return real != self._real_root and not real.startswith(self._real_root + os.sep)


def _is_around(entry: os.DirEntry[str], folder: str) -> bool:
    return entry.is_symlink() and f"{os.path.realpath(folder)}/".startswith(f"{os.path.realpath(entry.path)}/")


def is_written_outside(path: str) -> bool:
    """Whether a path itself says that it leaves the project's folder."""
    return os.path.isabs(path) or os.path.normpath(path).split(os.sep)[0] == ".."


class Need(NamedTuple):
    """One path that has to exist."""

    field: str  # "script", "source.0"
    path: str
    wanted: Literal["file", "folder", "any", "glob"]
    code: Code
    what: str  # "script"


def needs(kind: str, spec: Mapping[str, Any]) -> Iterator[Need]:
    """The paths that a spec of this kind needs."""
    if kind in ("run", "inference"):
        yield from _code_needs(kind, spec)
    elif kind == "dataset":
        for index, source in enumerate(spec.get("source") or ()):
            if source and "${{" not in source and not source[:8].lower().startswith(("http://", "https://")):
                wanted: Literal["any", "glob"] = "glob" if is_glob(source) else "any"
                yield Need(f"source.{index}", source, wanted, codes.MLP3304, "dataset file")
    elif kind == "model" and spec.get("file"):
        yield Need("file", spec["file"], "any", codes.MLP3305, "model file")
    elif kind == "deployment":
        for index, test in enumerate(spec.get("test") or ()):
            for field in ("request", "requests"):
                if test and test.get(field):
                    yield Need(f"test.{index}.{field}", test[field], "file", codes.MLP3307, "test request")


def _code_needs(kind: str, spec: Mapping[str, Any]) -> Iterator[Need]:
    script = "script" if kind == "run" else "entry_script"
    source = spec.get("source", ".")  # None where it is written but wrong
    if source and (kind == "run" or spec.get(script)):
        yield Need("source", source, "folder", codes.MLP3303, "source folder")
    if source and spec.get(script) and not is_written_outside(spec[script]):
        path = os.path.normpath(os.path.join(source, spec[script]))
        code = codes.MLP3301 if kind == "run" else codes.MLP3302
        yield Need(script, path, "file", code, script.replace("_", " "))
    environment = spec.get("environment") or {}
    if environment.get("file"):
        yield Need("environment.file", environment["file"], "file", codes.MLP3306, "environment file")


def is_glob(path: str) -> bool:
    """Whether a path is a pattern."""
    return any(mark in path for mark in "*?[")


def check_files(
    address: Address, spec: Mapping[str, Any], disk: Disk, place_of: Callable[[Address, str], Span]
) -> Iterator[Diagnostic]:
    """What a resource needs and isn't there."""
    for need in needs(address.kind, spec):
        problem = _problem(need, disk)
        if problem is None:
            continue
        code, detail, hint, mark = problem
        yield code.diagnostic(detail, hint=hint, labels=[Label(place_of(address, need.field), mark)], address=address)
        if need.field == "source" and need.wanted == "folder":
            return  # that the script is missing too only follows


def _problem(need: Need, disk: Disk) -> tuple[Code, str, str, str] | None:
    if need.code is codes.MLP3304 and "://" in need.path:
        scheme = need.path.partition("://")[0]
        detail = f"`{need.path}` can't be downloaded: mlplan speaks http and https, not {scheme}."
        return codes.MLP3310, detail, "Give its http or https address, or copy the files into the project.", "no http"
    if need.wanted == "glob":
        if disk.kind(need.path) or any_match(need.path, disk):
            return None
        return need.code, f"No file matches `{need.path}`.", "Check the pattern, or add the files.", "matches nothing"
    kind = disk.kind(need.path)
    if kind and need.wanted not in ("any", kind):
        detail = f"`{need.path}` is a {kind}; a {need.what} is a {need.wanted}."
        return need.code, detail, f"Name a {need.wanted}.", f"a {kind}"
    if not kind:
        near = _near_path(need.path, disk)
        hint = (
            f"Did you mean `{near}`?" if near else "Create it, or correct the path: it is relative to the manifest."
        )
        return need.code, f"There is no {need.what} `{need.path}`.", hint, "not found"
    if disk.is_outside(need.path):
        return (
            codes.MLP3308,
            f"`{need.path}` is a link that leads out of the project's folder.",
            "Copy it into the project, or write the path that it leads to.",
            "leads outside",
        )
    return None


def _near_path(path: str, disk: Disk) -> str | None:
    folder, name = os.path.split(path.rstrip("/"))
    names = disk.names(folder)
    near = nearest(name, names) if len(names) <= MANY_NAMES else None
    return os.path.join(folder, near) if near else None


def any_match(pattern: str, disk: Disk) -> bool:
    """Whether a file matches a glob, hidden ones too. Looks no further than the first; `**` is any folders."""
    steps = [step for step in pattern.split("/") if step not in ("", ".")]
    return _any_below("/" if pattern.startswith("/") else "", steps, disk)


def _any_below(folder: str, steps: list[str], disk: Disk) -> bool:
    import fnmatch

    if not steps:
        return disk.kind(folder) == "file"
    step, rest = steps[0], steps[1:]
    if step == "**":
        if _any_below(folder, rest or ["*"], disk):
            return True
        return any(_any_below(os.path.join(folder, name), steps, disk) for name in disk.folders(folder))
    if not is_glob(step):
        return _any_below(os.path.join(folder, step), rest, disk)
    return any(
        _any_below(os.path.join(folder, name), rest, disk)
        for name in disk.names(folder)
        if fnmatch.fnmatchcase(name, step)
    )
