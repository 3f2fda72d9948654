"""Which revision of the project a commit is made from."""

from __future__ import annotations

import os


def git_revision(root: str) -> str:
    """The commit that is checked out in the folder, with "+" where tracked files differ from it; "" without git."""
    import subprocess

    asked = ["git", "-C", root, "status", "--porcelain=v2", "--branch", "--untracked-files=no", "--", "."]
    try:
        answer = subprocess.run(
            asked,
            capture_output=True,
            timeout=10,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            check=True,
        ).stdout.decode(errors="replace")
    except (OSError, subprocess.SubprocessError):
        return ""
    lines = answer.splitlines()
    oid = next((line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")), "")
    if not oid or oid == "(initial)":
        return ""
    return f"{oid}+" if any(not line.startswith("#") for line in lines) else oid
