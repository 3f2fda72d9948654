"""A project's repository with a base and a head branch, as the checkout of a pull request's job has them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from .forge import Forge, running

MANIFEST = """\
version: 1
project: checked
compute:
  here: {type: local}
dataset:
  numbers: {source: data}
run:
  train:
    compute: here
    source: code
    script: train.py
    arguments: [--data, "${{ dataset.numbers.path }}", --rate, "0.5"]
model:
  mean: {run: train, path: outputs/mean.json}
inference:
  scorer: {source: code, entry_script: score.py}
deployment:
  means: {compute: here, models: [mean], inference: scorer, port: 18321, auth: none}
"""
FILES = {
    "mlplan.yaml": MANIFEST,
    "data/a.txt": "1\n2\n",
    "code/train.py": "print(1)\n",
    "code/score.py": "def init():\n    pass\n\n\ndef run(data):\n    return data\n",
    ".gitignore": ".mlplan/\nmlplan-results/\n",
}


class Checkout:
    """A job's clone of the project, on the branch `work`; `origin/main` is the base."""

    def __init__(self, folder: Path) -> None:
        self.origin, self.folder, self.scratch = folder / "origin", folder / "checkout", folder / "scratch"
        self.origin.mkdir()
        self.scratch.mkdir()
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.scratch),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self.scratch),
            "NO_COLOR": "1",
            "COLUMNS": "100",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ann",
            "GIT_AUTHOR_EMAIL": "ann@example.org",
            "GIT_COMMITTER_NAME": "Ann",
            "GIT_COMMITTER_EMAIL": "ann@example.org",
            "RUNNER_TEMP": str(self.scratch),
            "GITHUB_ACTIONS": "true",
        }
        self.git("init", "-q", "-b", "main", ".", where=self.origin)
        self.write(FILES, where=self.origin)
        self.commit(where=self.origin)
        self.git("clone", "-q", str(self.origin), str(self.folder), where=folder)
        self.git("checkout", "-q", "-b", "work")

    def git(self, *words: str, where: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *words], cwd=where or self.folder, env=self.env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def write(self, files: Mapping[str, str | None], where: Path | None = None) -> None:
        """Writes files; None removes one."""
        for name, text in files.items():
            path = (where or self.folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        assert text.count(old) == 1
        (self.folder / name).write_text(text.replace(old, new))

    def commit(self, where: Path | None = None) -> None:
        self.git("add", "--all", where=where)
        self.git("commit", "-q", "--allow-empty", "-m", "work", where=where)

    def installed(self) -> None:
        """Puts the mlplan under test where the first step would install it."""
        folder = self.scratch / "mlplan-env" / "bin"
        folder.mkdir(parents=True)
        for name in ("python", "mlplan"):
            script = f'#!/bin/sh\nexec "{os.path.join(os.path.dirname(sys.executable), name)}" "$@"\n'
            (folder / name).write_text(script)
            (folder / name).chmod(0o755)

    def github(self, forge: Forge) -> None:
        """What a job of GitHub knows of its pull request."""
        event = self.scratch / "event.json"
        event.write_text(json.dumps({"pull_request": {"number": 7}}))
        self.env.update(GITHUB_API_URL=forge.url, GITHUB_REPOSITORY="team/project", GITHUB_EVENT_PATH=str(event))

    def gitlab(self, forge: Forge) -> None:
        """What a job of GitLab knows of its merge request."""
        self.env.update(CI_API_V4_URL=forge.url, CI_PROJECT_ID="12", CI_MERGE_REQUEST_IID="7")
        self.env.update(CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main", GITLAB_CI="true")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture
def forge() -> Iterator[Forge]:
    with running() as forge:
        yield forge
