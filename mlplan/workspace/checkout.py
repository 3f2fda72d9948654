"""A folder that shows the files of one commit and then those of another, and tells them by content.

Files are written as git's objects have them: no filter, no line ends converted, nothing executed. What both commits
have in common is written once. To a plan on a commit, a pointer that git LFS keeps in a file's place counts as the
file that it stands for, and a submodule as the commit that it is at.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from mlplan.codes import plan as codes
from mlplan.errors import Refusal
from mlplan.workspace.git import EXECUTABLE, LINK, SUBMODULE
from mlplan.workspace.protocols import FileEntry, Listing
from mlplan.workspace.reading import look_at, walk
from mlplan.workspace.trees import tree_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mlplan.fingerprint.meaning import PythonMeaning
    from mlplan.json_types import Json
    from mlplan.workspace.git import Entry, Objects
    from mlplan.workspace.protocols import OnBytes

SUBMODULE_COMMIT = "submodule commit"
"""The file that stands in a submodule's place."""

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-.*\n)*oid sha256:([0-9a-f]{64})\nsize ([0-9]{1,18})\n"
)
_LONGEST_POINTER = 1024
"""What git LFS takes for a pointer is shorter."""


class _Content(NamedTuple):
    digest: str
    size: int
    is_pointer: bool


class Checkout:
    """The folder. Writes only below it."""

    def __init__(self, objects: Objects, root: str) -> None:
        self._objects = objects
        self._folders: set[str] = set()
        self.root = os.path.realpath(root)
        self._shown: dict[str, Entry] = {}
        self._has_links = False
        self._contents: dict[str, _Content] = {}  # by object
        self._meanings: dict[str, PythonMeaning] = {}  # by digest

    def show(self, wanted: Mapping[str, Entry]) -> None:
        """Makes the folder hold just these entries, by their paths from the repository's top.

        Raises: Refusal where git doesn't hold one, or where this system can't take its name.
        """
        try:
            self._turn_into(wanted)
        except (OSError, ValueError) as error:
            detail = f"A file of the commit can't be written here: {error}."
            raise Refusal([codes.MLP5010.diagnostic(detail, hint="Rename it in the branch.")]) from error

    def _turn_into(self, wanted: Mapping[str, Entry]) -> None:
        for path, entry in self._shown.items():
            if wanted.get(path) != entry:
                self._remove(path, entry)
        new = {path: entry for path, entry in wanted.items() if self._shown.get(path) != entry}
        plain = [path for path, entry in new.items() if entry.mode not in (LINK, SUBMODULE)]
        links = [path for path, entry in new.items() if entry.mode == LINK]
        for path, content in zip(plain, self._contents_of(new, plain), strict=True):
            self._write(path, new[path], content)
        for path, entry in new.items():
            if entry.mode == SUBMODULE:
                self._write(f"{path}/{SUBMODULE_COMMIT}", entry, entry.object.encode())
        # After all files, so that none is written through a link.
        for path, content in zip(links, self._contents_of(new, links), strict=True):
            self._make_folder(path)
            os.symlink(content, os.fsencode(self._at(path)))
        self._shown = dict(wanted)
        self._has_links = any(entry.mode == LINK for entry in wanted.values())
        self._drop_links_out(path for path, entry in wanted.items() if entry.mode == LINK)

    def _write(self, path: str, entry: Entry, content: bytes) -> None:
        here = self._make_folder(path)
        with open(here, "xb") as stream:
            stream.write(content)
        if entry.mode == EXECUTABLE:
            os.chmod(here, 0o755)
        if entry.object not in self._contents:
            self._contents[entry.object] = _content_of(content)

    def _contents_of(self, entries: Mapping[str, Entry], paths: list[str]) -> Iterator[bytes]:
        return self._objects.contents([entries[path].object for path in paths])

    def _make_folder(self, path: str) -> str:
        """Makes the folder that an entry stands in. Returns where the entry stands."""
        folder, _, _ = path.rpartition("/")
        if folder not in self._folders:
            os.makedirs(self._at(folder), exist_ok=True)
            self._folders.add(folder)
        return self._at(path)

    def _remove(self, path: str, entry: Entry) -> None:
        here = self._at(f"{path}/{SUBMODULE_COMMIT}" if entry.mode == SUBMODULE else path)
        with suppress(FileNotFoundError):  # a link that led out
            os.unlink(here)
        while (here := os.path.dirname(here)) != self.root:
            try:
                os.rmdir(here)
            except OSError:
                return
            self._folders.clear()

    def _drop_links_out(self, links: Iterable[str]) -> None:
        """Removes the links that lead out of the folder, in truth and not by their text alone."""
        for path in links:
            here = self._at(path)
            real = os.path.realpath(here)
            if os.path.islink(here) and real != self.root and not real.startswith(self.root + os.sep):
                os.unlink(here)

    def _at(self, path: str) -> str:
        return os.path.join(self.root, path)

    def content(self, path: str) -> tuple[_Content, bool] | None:
        """What the file at an absolute path holds, and whether it can be executed; None where there is none."""
        real = os.path.realpath(path) if self._has_links else os.path.normpath(path)
        below = real.removeprefix(self.root + os.sep).replace(os.sep, "/")
        entry = self._shown.get(below) or self._shown.get(below.removesuffix(f"/{SUBMODULE_COMMIT}"))
        if entry is None or entry.object not in self._contents:
            return None
        return self._contents[entry.object], entry.mode == EXECUTABLE

    def meaning(self, path: str, digest: str) -> PythonMeaning:
        """What the Python file at an absolute path says."""
        from mlplan.fingerprint.python import python_meaning

        if digest not in self._meanings:
            with open(path, "rb") as stream:
                self._meanings[digest] = python_meaning(stream.read())
        return self._meanings[digest]


def is_pointer(content: bytes) -> bool:
    """Whether a file's content is what git LFS keeps in its place."""
    return _pointer(content) is not None


def _pointer(content: bytes) -> re.Match[bytes] | None:
    return _POINTER.fullmatch(content) if len(content) < _LONGEST_POINTER else None


def _content_of(content: bytes) -> _Content:
    pointer = _pointer(content)
    if pointer:
        return _Content(pointer[1].decode(), int(pointer[2]), True)
    return _Content(sha256(content).hexdigest(), len(content), False)


class CheckoutFiles:
    """`Files` for the project that stands in `project`, a folder of the checkout."""

    def __init__(self, checkout: Checkout, project: str) -> None:
        self._checkout = checkout
        self._project = project

    def digest(self, path: str) -> str | None:
        """The sha256 of the file, or None where there is none."""
        found = self._checkout.content(self._absolute(path))
        return found[0].digest if found else None

    def python(self, path: str) -> PythonMeaning | None:
        """What a Python file says, or None where there is no file."""
        digest = self.digest(path)
        return self._checkout.meaning(self._absolute(path), digest) if digest else None

    def listing(self, files: Mapping[str, str], *, on_bytes: OnBytes | None = None) -> Listing:
        """The tree of files given as {path in the tree: path}."""
        found = []
        for name, path in files.items():
            known = self._checkout.content(self._absolute(path))
            if known is None:
                look_at([name], [self._absolute(path)])  # says what is wrong with it
                raise AssertionError(f"{path} is there and is no file of the commit")
            found.append(FileEntry(name, known[0].digest, known[0].size, known[1]))
        return Listing(tree_of(found), 0)

    def folder(self, path: str, *, on_bytes: OnBytes | None = None) -> Listing:
        """The tree of a whole folder."""
        found = walk(self._absolute(path))
        return self.listing(dict(zip(found.names, found.paths, strict=True)))

    def value(self, path: str) -> Json:
        """The content of a JSON or YAML file, by value. Raises: Refusal where it can't be read."""
        from mlplan.workspace.values import parse

        found = self._checkout.content(self._absolute(path))
        if found is not None and found[0].is_pointer:
            return found[0].digest
        with open(self._absolute(path), "rb") as stream:
            return parse(stream.read(), path)

    def save(self) -> None:
        """Nothing is kept."""

    def _absolute(self, path: str) -> str:
        return os.path.join(self._project, path)
