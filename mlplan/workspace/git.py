"""A revision of the project, read from git's objects alone: no checkout, no filter, no hook, nothing executed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from mlplan.codes import plan as codes
from mlplan.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINK, _EXECUTABLE = "120000", "100755"


class _Blob(NamedTuple):
    mode: str
    object: str
    path: str  # from the folder that was asked for


def common_base(root: str, revision: str, head: str = "HEAD") -> str:
    """The commit at which `head` left the line of `revision`; `revision` itself where they have none in common.

    Raises: Refusal where git has no such revision.
    """
    base = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if base is None:
        raise Refusal(
            [
                codes.MLP5008.diagnostic(
                    f"git has no revision `{revision}`.",
                    hint="Fetch it first; in a shallow clone the base of a pull request is often missing:\n"
                    "    git fetch --no-tags --depth=100 origin main",
                )
            ]
        )
    common = _git(root, "merge-base", base.strip(), head)
    return (common or base).strip()


def is_dirty(root: str) -> bool:
    """Whether the folder differs from HEAD, new files included."""
    return bool((_git(root, "status", "--porcelain", "--", ".") or "").strip())


def last_touched(root: str, file: str, line: int | None) -> str:
    """Who last touched a line of a file, or the file: `3f2a9c1 Ann, 2 days ago: why`. "" without git; edits that
    aren't committed are said to be that."""
    if line is None:
        if _git(root, "status", "--porcelain", "--", file):
            return "not committed yet"
        return (_git(root, "log", "-1", "--format=%h %an, %ar: %s", "--", file) or "").strip()
    blamed = _git(root, "blame", "--porcelain", "-L", f"{line},{line}", "--", file) or ""
    commit = blamed.split(" ", 1)[0]
    if not commit:
        return ""
    if not commit.strip("0"):
        return "not committed yet"
    return (_git(root, "log", "-1", "--format=%h %an, %ar: %s", commit) or "").strip()


def extract(root: str, revision: str, folder: str) -> None:
    """Writes the files of `root` as they are in `revision` below `folder`, but for links that lead out of it."""
    blobs = list(_blobs(root, revision))
    for blob, content in zip(blobs, _contents(root, blobs), strict=True):
        path = os.path.join(folder, blob.path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if blob.mode == _LINK:
            target = content.decode(errors="surrogateescape")
            inside = os.path.normpath(os.path.join(os.path.dirname(blob.path), target))
            if not os.path.isabs(target) and not inside.startswith(".."):
                os.symlink(target, path)
            continue
        with open(path, "wb") as stream:
            stream.write(content)
        if blob.mode == _EXECUTABLE:
            os.chmod(path, 0o755)


def _blobs(root: str, revision: str) -> Iterator[_Blob]:
    listing = _git(root, "ls-tree", "-r", "-z", revision, "--", ".") or ""
    for line in listing.split("\0")[:-1]:
        facts, _, path = line.partition("\t")
        mode, kind, name = facts.split(" ")
        if kind == "blob" and not path.startswith(".."):
            yield _Blob(mode, name, path)


def _contents(root: str, blobs: list[_Blob]) -> Iterator[bytes]:
    import subprocess

    asked = "".join(f"{blob.object}\n" for blob in blobs).encode()
    answer = subprocess.run(
        ["git", "-C", root, "cat-file", "--batch"], input=asked, capture_output=True, check=True, env=_environment()
    ).stdout
    at = 0
    for _ in blobs:
        end = answer.index(b"\n", at)
        size = int(answer[at:end].rsplit(b" ", 1)[1])
        yield answer[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def _git(root: str, *words: str) -> str | None:
    """What git answers, or None where it fails. Raises: Refusal where there is no git."""
    import subprocess

    try:
        ended = subprocess.run(["git", "-C", root, *words], capture_output=True, env=_environment(), check=False)
    except FileNotFoundError as error:
        raise Refusal([codes.MLP5008.diagnostic("`git` is not installed, or not on the PATH.")]) from error
    return ended.stdout.decode(errors="surrogateescape") if ended.returncode == 0 else None


def _environment() -> dict[str, str]:
    # No optional locks: a check of somebody's checkout writes nothing into it.
    return {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
