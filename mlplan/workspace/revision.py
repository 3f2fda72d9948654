"""Which revision of the project a commit is made from."""

from __future__ import annotations


def git_revision(root: str) -> str:
    """The commit that is checked out in the folder, with "+" where tracked files differ from it; "" without git."""
    from mlplan.errors import Refusal
    from mlplan.workspace.git import find_repository, run, without_filters

    try:
        top, prefix = find_repository(root)
        words = ("status", "--porcelain=v2", "--branch", "--untracked-files=no", "--", prefix.rstrip("/") or ".")
        lines = (run(top, *words, options=without_filters(top)) or "").splitlines()
    except Refusal:
        return ""
    oid = next((line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")), "")
    if not oid or oid == "(initial)":
        return ""
    return f"{oid}+" if any(not line.startswith("#") for line in lines) else oid
