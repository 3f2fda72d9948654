"""What the workspace offers the rooms above it: the log, artifacts by content, the index of local files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from mlplan.fingerprint.meaning import PythonMeaning
from mlplan.json_types import Json
from mlplan.state.entries import Commit, Entry
from mlplan.state.records import State


class Holder(NamedTuple):
    """Who holds the lease, as the workspace tells it."""

    id: str
    description: str  # "ann@laptop, pid 4711, `mlplan apply`, since 12:03:11"
    alive: bool | None  # None: can't be told from here
    age_s: float  # since it last showed life


class Log(Protocol):
    """The append-only record. Commit N exists once."""

    def read(self) -> State:
        """The state now: checkpoint and the commits after it, folded. EMPTY where nothing is yet.

        Raises: Refusal (MLP4xxx) for a damaged, cut or newer log.
        """

    def append(self, state: State, entries: Sequence[Entry], *, command: str) -> State:
        """The state with one more commit, durable when this returns.

        Where another commit took that serial, reads on and tries again after it, as long as the lease that
        `state` was made under still stands. Raises: Refusal where it doesn't (fencing).
        """

    def commits(self, since: int = 1) -> Iterable[Commit]:
        """Commits in order, from serial `since`."""


class FileEntry(NamedTuple):
    """One file of a tree."""

    path: str  # relative, with "/"
    sha256: str
    size: int
    executable: bool = False


class Tree:
    """A folder by content. Its digest is that of its canonical listing; the listing itself is kept as an artifact.

    Of a tree whose digest is known, the files are listed when somebody asks for them: of 100,000 unchanged ones
    nobody does. Two trees of the same digest are equal.
    """

    __slots__ = ("_files", "count", "digest", "size")

    def __init__(
        self,
        digest: str,
        files: tuple[FileEntry, ...] | Callable[[], tuple[FileEntry, ...]],
        *,
        count: int | None = None,
        size: int | None = None,
    ) -> None:
        self.digest = digest
        self._files = files
        self.count = len(self.files) if count is None else count
        self.size = sum(entry.size for entry in self.files) if size is None else size  # in bytes

    @property
    def files(self) -> tuple[FileEntry, ...]:
        """Its files, sorted by path."""
        if not isinstance(self._files, tuple):
            self._files = self._files()
        return self._files

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Tree({self.digest[:10]}, {self.count} files, {self.size} bytes)"


OnBytes = Callable[[int], None]
"""Called with how many more bytes are done."""

OnSent = Callable[[int, int], None]
"""Called with how many bytes were sent to where the workspace is, and how many there are to send."""


class Artifacts(Protocol):
    """Bytes kept by content digest."""

    def put_folder(self, folder: str, *, on_bytes: OnBytes | None = None, on_sent: OnSent | None = None) -> Tree:
        """Keeps a folder (files and folders; a symlink is followed inside it, refused out of it)."""

    def put_files(
        self, files: Mapping[str, str], *, on_bytes: OnBytes | None = None, on_sent: OnSent | None = None
    ) -> Tree:
        """Keeps files given as {path in the tree: absolute path here}."""

    def tree(self, digest: str) -> Tree:
        """The listing of a kept tree. Raises: Refusal where it is missing or damaged."""

    def subtree(self, digest: str, path: str) -> Tree | None:
        """The file (as a tree of that one file, under its basename) or folder (under its basename) at `path` of
        a kept tree, kept as a tree of its own; None where the tree has no such path."""

    def check_out(self, digest: str, folder: str, *, read_only: bool = False) -> None:
        """Writes a tree's files below `folder`, checked against their digests; the kept bytes are never shared
        with what is written. Raises: Refusal where an artifact is missing or damaged."""

    def view(self, digest: str) -> str:
        """The absolute path of a read-only folder with this tree, shared by all who read it; made when absent,
        made anew when something wrote into it."""

    def problems(self, digest: str, *, deep: bool = False) -> Sequence[str]:
        """Paths of a tree whose bytes are missing or have the wrong size (deep: or the wrong digest)."""

    def read_bytes(self, digest: str, path: str) -> bytes:
        """One file of a tree, checked."""


class Listing(NamedTuple):
    """Files found on disk, by content."""

    tree: Tree
    hashed_bytes: int  # how much had to be read; 0 when nothing changed since the last time


class Files(Protocol):
    """The user's files by content, through a cache of their stat. Only reads the user's files."""

    def digest(self, path: str) -> str | None:
        """The sha256 of the file at this path (absolute, or relative to the project), or None where there is none."""

    def python(self, path: str) -> PythonMeaning | None:
        """What a Python file says, or None where there is no file."""

    def listing(self, files: Mapping[str, str], *, on_bytes: OnBytes | None = None) -> Listing:
        """The tree of files given as {path in the tree: path on disk}."""

    def folder(self, path: str, *, on_bytes: OnBytes | None = None) -> Listing:
        """The tree of a whole folder; fast where nothing changed (one walk, no re-hash)."""

    def value(self, path: str) -> Json:
        """The content of a JSON or YAML file, by value. Raises: Refusal where it can't be read."""

    def save(self) -> None:
        """Writes the cache, if it changed. A cache that can't be written is no error."""
