"""Trees: folders by content. A tree's digest is the sha256 of its listing, which is kept as an artifact of its own.

    mlplan tree 1
    <sha256> <size in bytes> <x or -> <path>

Sorted by path; in a path, a backslash stands as two and a line end as "\\n".
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from mlplan.workspace.protocols import FileEntry, Tree

_HEAD = b"mlplan tree 1\n"


def tree_of(files: Iterable[FileEntry]) -> Tree:
    """The tree of these files."""
    entries = tuple(sorted(files))
    return Tree(sha256(encode_listing(entries)).hexdigest(), entries)


def encode_listing(entries: Iterable[FileEntry]) -> bytes:
    """The listing of files that are sorted by path."""
    lines = [
        f"{digest} {size} {'x' if executable else '-'} {_escaped(path)}\n"
        for path, digest, size, executable in entries
    ]
    return _HEAD + "".join(lines).encode("utf-8", "surrogateescape")


def decode_listing(listing: bytes) -> tuple[FileEntry, ...]:
    """The files of a listing. Raises: ValueError for what is none."""
    if not listing.startswith(_HEAD):
        raise ValueError("not a listing")
    entries = []
    for line in listing[len(_HEAD) :].decode("utf-8", "surrogateescape").split("\n")[:-1]:
        digest, size, executable, path = line.split(" ", 3)
        if path.startswith("/") or (".." in path and ".." in path.split("/")):
            raise ValueError("a path in it leads out of the tree")
        entries.append(FileEntry(_unescaped(path), digest, int(size), executable == "x"))
    return tuple(entries)


def subtree_of(tree: Tree, path: str) -> Tree | None:
    """The file at `path`, or the folder there with all below it, as a tree of its own under the basename of `path`;
    None where the tree has no such path."""
    path = path.strip("/")
    start = path.rfind("/") + 1
    found = [
        entry._replace(path=entry.path[start:])
        for entry in tree.files
        if entry.path == path or entry.path.startswith(f"{path}/")
    ]
    return tree_of(found) if found else None


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace("\n", "\\n") if "\\" in path or "\n" in path else path


def _unescaped(path: str) -> str:
    if "\\" not in path:
        return path
    return "\\".join(part.replace("\\n", "\n") for part in path.split("\\\\"))
