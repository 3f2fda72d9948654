"""`mlplan render`: the files that apply uses, to be read, diffed in review, and used without mlplan."""

from __future__ import annotations

import os

from mlplan.cli.globals import Globals, say, tell
from mlplan.cli.project import lock_path, open_project
from mlplan.cli.writing import writing
from mlplan.errors import ExitCode
from mlplan.lock.lockfile import read
from mlplan.render.project import render_project


def run(options: Globals, out: str) -> ExitCode:
    """Writes them below a folder; without one, prints them, each under its name."""
    from mlplan.workspace.revision import git_revision

    project = open_project(options)
    manifest = project.manifest
    files = render_project(manifest, read(lock_path(manifest)), git_revision(manifest.root))
    for path, text in files.items():
        if not out:
            say(f"# ---- {path}\n{text}")
            continue
        target = os.path.join(out, path)
        with writing(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
    if out:
        tell(f"{len(files)} files below {out}.")
    return ExitCode.OK
