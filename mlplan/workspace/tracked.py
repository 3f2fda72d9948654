"""Whether a branch brings a workspace along: what git tracks there was written by whoever wrote the branch.

A plan believes its state and its caches. So both must come from this machine or from a bucket, never from a checkout.
Looks into git's index without starting git, as long as nothing speaks for a hit: a plan starts in no time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

FOLDS_CASE = sys.platform in ("darwin", "win32")
"""Whether `.MLPLAN` is the same folder as `.mlplan` here."""


def tracked(root: str, places: Iterable[str]) -> list[str]:
    """Those of the places (paths as the manifest in `root` writes them) that git tracks, or below which it tracks
    something. Raises: Refusal where the index speaks for one, and git doesn't tell."""
    found = _find_git(os.path.realpath(root))
    if found is None:
        return []
    top, folder = found
    index = _read(f"{folder}/index")
    wanted = {place: _below(top, os.path.join(os.path.realpath(root), place)) for place in places}
    if not index or not any(_may_hold(index, folder, below) for names in wanted.values() for below in names):
        return []
    from mlplan.workspace.git import asked

    magic = ":(top,icase,literal)" if FOLDS_CASE else ":(top,literal)"

    def holds(below: str) -> bool:
        return bool(asked(top, "--no-literal-pathspecs", "ls-files", "--cached", "--", f"{magic}{below}"))

    return [place for place, names in wanted.items() if any(holds(below) for below in names)]


def _below(top: str, path: str) -> set[str]:
    """The paths from the repository's top that something has: as it is written, and as it is with links followed.
    Left out are paths outside of the repository, and the top itself."""
    paths = (os.path.normpath(path), os.path.realpath(path))
    found = {os.path.relpath(each, top).replace(os.sep, "/") for each in paths}
    return {below for below in found if below not in (".", "..") and not below.startswith("../")}


def _find_git(folder: str) -> tuple[str, str] | None:
    """The top of the repository around a folder, and its git directory."""
    while True:
        git = os.path.join(folder, ".git")
        if os.path.isdir(git):
            return folder, git
        if os.path.isfile(git):  # a linked working tree, or a submodule
            text = (_read(git) or b"").decode(errors="surrogateescape")
            return folder, os.path.normpath(os.path.join(folder, text.removeprefix("gitdir:").strip()))
        if os.path.dirname(folder) == folder:
            return None
        folder = os.path.dirname(folder)


def _may_hold(index: bytes, folder: str, below: str) -> bool:
    """Whether the index may name a path or something below it. Where its names aren't spelt out in it, it may."""
    is_compressed = index[4:8] >= b"\0\0\0\4"
    if is_compressed or any(name.startswith("sharedindex.") for name in os.listdir(folder)):
        return True
    if FOLDS_CASE:
        index, below = index.lower(), below.lower()
    name = os.fsencode(below)
    return name + b"/" in index or name + b"\0" in index


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return None
