"""A project's git repository, asked by git's own command: what its commits hold, who touched what.

Only objects and the index are read. What a branch brings along can't make git run anything: no hook, no filter, no
text conversion and no file system monitor is started, a repository that is hidden in a folder isn't taken for one,
and nothing is fetched. What a commit's files say is in `revision_tree.py`; `checkout.py` writes them to a folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from mlplan.codes import plan as codes
from mlplan.errors import Refusal

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

    from mlplan.diagnostics import Diagnostic

LINK, EXECUTABLE, SUBMODULE = "120000", "100755", "160000"
"""Modes of a commit's entries; any other is a plain file."""

_OPTIONS = (
    "--no-pager", "--no-replace-objects", "--literal-pathspecs", "-c", "core.fsmonitor=false",
    "-c", f"core.hooksPath={os.devnull}", "-c", "safe.bareRepository=explicit", "-c", "log.showSignature=false",
)  # fmt: skip
_ELSEWHERE = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_EXTERNAL_DIFF",
    "GIT_CEILING_DIRECTORIES",
)
"""Variables that a hook or a wrapper may have set, and that would make git answer about something else."""


AT_ONCE = 500
"""Names of objects that git is given in one go: so many fit into a pipe before anybody reads the answers."""


class Repository(NamedTuple):
    """Where a folder stands in its repository."""

    top: str  # absolute
    prefix: str  # of the folder from there: "" or "models/digits/"

    def inside(self, path: str) -> str | None:
        """The path from the top of what the folder calls `path`; None where that leads out of the repository."""
        return None if os.path.isabs(path) else normal(self.prefix, path)


def normal(folder: str, path: str) -> str | None:
    """The plain path from the repository's top of what `folder` calls `path`, "" for the top itself; None where it
    leads out."""
    found = os.path.normpath(os.path.join(folder, path)).replace(os.sep, "/")
    return None if found == ".." or found.startswith("../") else "" if found == "." else found


class Entry(NamedTuple):
    """A file, a link or a submodule of a commit."""

    mode: str
    object: str


def find_repository(folder: str) -> Repository:
    """The repository that a folder stands in; the folder itself need not exist, as one that a branch removed.

    Raises: Refusal where there is none.
    """
    here = os.path.realpath(folder)
    top = here
    while not os.path.exists(os.path.join(top, ".git")):
        if os.path.dirname(top) == top:
            detail = f"{folder} is in no git repository, so there are no two revisions to compare."
            raise Refusal([codes.MLP5009.diagnostic(detail, hint="Plan on the state:\n    mlplan plan")])
        top = os.path.dirname(top)
    below = os.path.relpath(here, top).replace(os.sep, "/")
    return Repository(top, "" if below == "." else f"{below}/")


class Objects:
    """What git holds, read by one process of git's for as long as the block lasts."""

    def __init__(self, top: str) -> None:
        self.top = top
        self._git: subprocess.Popen[bytes] | None = None
        self._commits: dict[str, bytes] = {}

    def __enter__(self) -> Objects:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._git is not None:
            self._git.kill()
            self._git.communicate()

    def commit(self, revision: str) -> str:
        """The commit that a revision names. Raises: Refusal, with the nearest name, where git has none."""
        kind, size = "", 0
        if not {"\n", "\0"}.intersection(revision):
            self._ask([f"{revision}^{{commit}}"])
            name, kind, size = self._head()
        if kind != "commit":
            raise _unknown_revision(self.top, revision)
        self._commits[name] = self._body(size)
        return name

    def parents(self, commit: str) -> list[str]:
        """The parents that stand in a commit itself, those that a shallow clone lacks included."""
        head = self._commits[commit].partition(b"\n\n")[0].decode(errors="replace")
        return [line.removeprefix("parent ") for line in head.splitlines() if line.startswith("parent ")]

    def contents(self, names: Sequence[str]) -> Iterator[bytes]:
        """The content of each object, in this order; to be taken to the end. Raises: Refusal where one isn't here."""
        for start in range(0, len(names), AT_ONCE):
            some = names[start : start + AT_ONCE]
            self._ask(some)
            for name in some:
                _, kind, size = self._head()
                if not kind:
                    raise _not_here(name)
                content = self._body(size)
                if len(content) != size:
                    raise _not_here(name)
                yield content

    def _ask(self, names: Sequence[str]) -> None:
        import subprocess

        if self._git is None:
            words = [*_git(self.top), "cat-file", "--batch"]
            with _git_at_hand():
                self._git = subprocess.Popen(
                    words,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=_environment(),
                )
        assert self._git.stdin is not None
        with suppress(BrokenPipeError):  # it is gone, as its answer will tell
            self._git.stdin.write("".join(f"{name}\n" for name in names).encode(errors="surrogateescape"))
            self._git.stdin.flush()

    def _head(self) -> tuple[str, str, int]:
        """Name, kind and size of the next object; no kind for one that is missing."""
        assert self._git is not None
        assert self._git.stdout is not None
        words = self._git.stdout.readline().decode(errors="replace").split(" ")
        return (words[0], words[1], int(words[2])) if len(words) == 3 and words[2].strip().isdigit() else ("", "", 0)

    def _body(self, size: int) -> bytes:
        assert self._git is not None
        assert self._git.stdout is not None
        return self._git.stdout.read(size + 1)[:-1]


def _unknown_revision(top: str, revision: str) -> Refusal:
    from mlplan.diagnostics import nearest

    asked(top, "rev-parse", "--git-dir")  # tells where it isn't the name but the repository that git refuses
    near = nearest(revision, (run(top, "for-each-ref", "--format=%(refname:short)") or "").split())
    fetch = "Fetch it first; in the clone of a pull request the base is often missing:\n    git fetch origin main"
    hint = f"Did you mean `{near}`?" if near else fetch
    return Refusal([codes.MLP5008.diagnostic(f"git has no revision `{revision}`.", hint=hint)])


def common_base(objects: Objects, base: str, head: str) -> str:
    """The commit at which `head` left the line of `base`; `base` itself where they have no history in common.

    Raises: Refusal where the clone is too shallow to tell.
    """
    top = objects.top
    common = run(top, "merge-base", base, head)
    if common is not None:
        return common.strip()
    is_shallow = (run(top, "rev-parse", "--is-shallow-repository") or "").strip() == "true"
    if base in objects.parents(head) or not is_shallow:
        return base
    detail = "The clone is shallow: it doesn't reach back to where the two revisions parted."
    hint = "Fetch the rest of the history:\n    git fetch --unshallow origin"
    raise Refusal([codes.MLP5010.diagnostic(detail, hint=hint)])


def entries(top: str, commit: str, below: str = "") -> dict[str, Entry]:
    """The files, links and submodules of a commit by their paths from the top; all, or those below a folder.

    A path that git itself would not write to a working tree isn't among them.
    """
    words = ["--", below.rstrip("/")] if below else []
    found: dict[str, Entry] = {}
    for line in asked(top, "ls-tree", "-r", "-z", commit, *words).split("\0")[:-1]:
        facts, _, path = line.partition("\t")
        mode, _, name = facts.split(" ")
        if not _is_foul(path):
            found[path] = Entry(mode, name)
    return found


def _is_foul(path: str) -> bool:
    return any(part in ("", ".", "..") or part.lower() == ".git" for part in path.split("/"))


def _not_here(name: str) -> Refusal:
    detail = (
        f"git doesn't hold the object {name[:10]} here: the clone is a partial one, or damaged. Nothing is fetched."
    )
    hint = "Clone without a filter, or fetch the rest:\n    git fetch --refetch --no-filter origin"
    return Refusal([codes.MLP5010.diagnostic(detail, hint=hint)])


def renamed_from(top: str, base: str, head: str, path: str) -> str | None:
    """What the file that `head` has at `path` was called in `base`, where git finds that it was renamed."""
    told = asked(top, "diff-tree", "-r", "-z", "--find-renames", "--diff-filter=R", "--name-status", base, head)
    words = told.split("\0")[:-1]
    renames = zip(words[1::3], words[2::3], strict=True)
    return next((old for old, new in renames if new == path), None)


def is_dirty(repository: Repository) -> bool:
    """Whether the folder differs from HEAD, new files included."""
    return bool(_status(repository.top, repository.prefix.rstrip("/") or "."))


def _status(top: str, path: str) -> str:
    words = ("status", "--porcelain", "--ignore-submodules=all", "--", path)
    return (run(top, *words, options=without_filters(top)) or "").strip()


def without_filters(top: str) -> list[str]:
    """Options that keep git from starting a program for a file of the working tree, or from insisting on one."""
    wanted = r"^filter\..*\.(clean|process|required)$"
    names = (run(top, "config", "--name-only", "--get-regexp", wanted) or "").splitlines()
    return [word for name in names for word in ("-c", f"{name}=")]


def last_touched(root: str, file: str, line: int | None) -> str:
    """Who last touched a line of a file, or the file: `3f2a9c1 Ann, 2 days ago: why`. "" without git; edits that
    aren't committed are said to be that."""
    try:
        repository = find_repository(root)
    except Refusal:
        return ""
    top, path = repository.top, repository.inside(file)
    if path is None:
        return ""
    if line is None:
        if _status(top, path):
            return "not committed yet"
        return (run(top, "log", "-1", "--format=%h %an, %ar: %s", "--", path) or "").strip()
    words = ("blame", "--no-textconv", "--porcelain", "-L", f"{line},{line}", "--", path)
    blamed = run(top, *words, options=without_filters(top)) or ""
    commit = blamed.split(" ", 1)[0]
    if not commit:
        return ""
    if not commit.strip("0"):
        return "not committed yet"
    return (run(top, "log", "-1", "--format=%h %an, %ar: %s", commit) or "").strip()


def last_removed(root: str, file: str, pattern: str) -> str:
    """Who last took out of a file a line that fits the pattern, a basic regular expression; as `last_touched`."""
    try:
        repository = find_repository(root)
    except Refusal:
        return ""
    top, path = repository.top, repository.inside(file)
    if path is None:
        return ""
    if (
        _status(top, path)
        and run(top, "grep", "--quiet", "--no-textconv", "-e", pattern, "HEAD", "--", path) is not None
    ):
        return "not committed yet"
    words = ("log", "-1", "--no-textconv", "--no-ext-diff", f"-G{pattern}", "--format=%h %an, %ar: %s", "--", path)
    return (run(top, *words) or "").strip()


def asked(top: str, *words: str) -> str:
    """What git answers. Raises: Refusal with what it complains about."""
    ended = _ended(top, words, ())
    if ended.returncode:
        raise Refusal([_complaint(top, words[0], ended.stderr.decode(errors="replace").strip())])
    return ended.stdout.decode(errors="surrogateescape")


def _complaint(top: str, command: str, said: str) -> Diagnostic:
    if "safe.directory" in said:
        import shlex

        detail = f"{top} belongs to another user, so git doesn't look into it."
        trust = f"git config --global --add safe.directory {shlex.quote(top)}"
        return codes.MLP5021.diagnostic(detail, hint=f"Where you trust who owns it, say so:\n    {trust}")
    detail = f"`git {command}` failed: {said.splitlines()[-1] if said else 'it said nothing'}."
    return codes.MLP5010.diagnostic(detail, hint="Check the clone:\n    git fsck")


def run(top: str, *words: str, options: Sequence[str] = ()) -> str | None:
    """What git answers, or None where it fails. Raises: Refusal where there is no git."""
    ended = _ended(top, words, options)
    return None if ended.returncode else ended.stdout.decode(errors="surrogateescape")


def _ended(top: str, words: Sequence[str], options: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    import subprocess

    with _git_at_hand():
        return subprocess.run([*_git(top), *options, *words], capture_output=True, env=_environment(), check=False)


@contextmanager
def _git_at_hand() -> Iterator[None]:
    """Raises: Refusal where there is no git to start."""
    try:
        yield
    except FileNotFoundError as error:
        detail = "`git` is not installed, or not on the PATH."
        raise Refusal([codes.MLP5009.diagnostic(detail, hint="Install git.")]) from error


def _git(top: str) -> list[str]:
    # Always from the top, where `.git` is: a folder that looks like a bare repository would be taken for one.
    return ["git", "-C", top, *_OPTIONS]


def _environment() -> dict[str, str]:
    # No optional locks: a look at somebody's checkout writes nothing into it. No protocol: nothing is fetched.
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "LC_ALL": "C"}
