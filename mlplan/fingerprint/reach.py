"""Which Python files of a source folder a script reaches by imports, followed statically. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from typing import NamedTuple

from mlplan.fingerprint.meaning import PythonMeaning

MeaningOf = Callable[[str], "PythonMeaning | None"]
"""What the file at a path in the source folder says; None where there is no such file."""


class Reached(NamedTuple):
    """The files that count."""

    files: frozenset[str]
    everything: bool  # every Python file counts
    why: str  # why that is, for a reviewer; "" where it isn't, or where nothing was to follow


def reach(scripts: Sequence[str], meaning_of: MeaningOf) -> Reached:
    """The scripts and all that they import from the folder, near and far.

    Modules are looked for beside the script and at the top of the folder. Everything counts where no script is named,
    and where one file that is reached imports by computed names, or doesn't parse.
    """
    if not scripts:
        return Reached(frozenset(), True, "")
    roots = tuple(dict.fromkeys([*(posixpath.dirname(script) for script in scripts), ""]))
    reached: set[str] = set()
    rest = [posixpath.normpath(script) for script in scripts]
    while rest:
        path = rest.pop()
        if path in reached or (meaning := meaning_of(path)) is None:
            continue
        reached.add(path)
        if meaning.dynamic:
            why = "imports by computed names" if meaning.is_python else "doesn't parse as Python"
            return Reached(frozenset(), True, f"every Python file counts: {path} {why}")
        for name in meaning.imports:
            rest.extend(_candidates(name, path, roots))
    return Reached(frozenset(reached), False, "")


def _candidates(name: str, path: str, roots: Sequence[str]) -> list[str]:
    """Where the module or file `name`, mentioned in the file at `path`, may be; packages on the way included."""
    here = posixpath.dirname(path)
    if name.endswith(".py"):
        return [_inside(root, name) for root in dict.fromkeys([here, *roots])]
    dots = len(name) - len(name.lstrip("."))
    bases: Sequence[str] = roots
    if dots:
        base = here
        for _ in range(dots - 1):
            base = posixpath.dirname(base)
        bases = (base,)
    words = [word for word in name[dots:].split(".") if word]
    found = []
    for base in bases:
        found += [_inside(base, "/".join([*words[:n], "__init__.py"])) for n in range(len(words) + 1)]
        if words:
            found.append(_inside(base, "/".join(words) + ".py"))
    return found


def _inside(base: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(base, path))
