"""A real git repository with a project in it, for tests that compare two revisions as a pull request does."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mlplan.cli.main import main

MANIFEST = """\
version: 1
project: pr
variables:
  rate: {type: number, default: 0.5}
compute:
  here: {type: local, max_nodes: 2}
dataset:
  numbers:
    source: data
    tags: {owner: ann}
run:
  train:
    compute: here
    source: code
    script: train.py
    arguments: [--data, "${{ dataset.numbers.path }}", --rate, "${{ var.rate }}"]
model:
  mean:
    run: train
    path: outputs/mean.json
    tags: {stage: trial}
    require: [count >= 3]
inference:
  scorer:
    source: code
    entry_script: score.py
deployment:
  means:
    compute: here
    models: [mean]
    inference: scorer
    port: 18321
    auth: none
    test: [{request: ask.json, expect: [1]}]
"""

FILES: Mapping[str, str] = {
    "mlplan.yaml": MANIFEST,
    "data/a.txt": "1\n2\n",
    "data/b.txt": "3\n",
    "code/train.py": "import reading\n\nprint(reading.read())\n",
    "code/reading.py": "def read():\n    return 1\n",
    "code/score.py": "def init():\n    pass\n\n\ndef run(data):\n    return data\n",
    "ask.json": '{"data": [1]}',
    ".gitignore": ".mlplan/\n",
}
"""A small project: nothing of it takes long, and nothing needs a package."""


class Result(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


class Seen(NamedTuple):
    """A change as a plan tells it."""

    action: str
    impact: str
    reasons: list[str]


class Repository:
    """A git repository, and a project in it: at its top, or in the folder `project`."""

    def __init__(self, top: Path, project: str = "") -> None:
        self.top = top
        self.project = project
        top.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", ".")

    def git(self, *words: str, stdin: bytes | None = None) -> str:
        """What git answers; a failure is the test's."""
        ended = subprocess.run(["git", *words], cwd=self.top, input=stdin, capture_output=True, check=False)
        assert ended.returncode == 0, f"git {' '.join(words)}: {ended.stderr.decode()}"
        return ended.stdout.decode().strip()

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return self.top / self.project

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Writes files of the project; None removes one."""
        for name, content in files.items():
            path = self.folder / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replaces a piece of text that stands in the file once."""
        text = (self.folder / name).read_text()
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        (self.folder / name).write_text(text.replace(old, new))

    def commit(self, message: str = "work", *, author: str = "Ann <ann@example.org>") -> str:
        """Commits everything, ignored files left out; the commit."""
        self.git("add", "--all", ".")
        self.git("commit", "--quiet", "--allow-empty", "--author", author, "--message", message)
        return self.git("rev-parse", "HEAD")

    def mlplan(self, *words: str) -> Result:
        """Runs a command on the project, in this process. A bug is the test's failure."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["-C", str(self.folder), *words])
        assert code != 70, err.getvalue()
        return Result(code, out.getvalue(), err.getvalue())

    def document(self, *words: str) -> dict[str, Any]:
        """A plan as JSON."""
        result = self.mlplan("plan", "--format", "json", *words)
        assert result.code == 0, result.err
        read: dict[str, Any] = json.loads(result.out)
        return read

    def plan(self, *words: str, base: str = "main") -> dict[str, Seen]:
        """What the change from `base` to what is checked out adds: each change that isn't quiet."""
        return seen(self.document("--base", base, *words))


def seen(document: Mapping[str, Any]) -> dict[str, Seen]:
    """The changes of a plan that aren't quiet."""
    return {
        change["address"]: Seen(change["action"], change["impact"], [reason["text"] for reason in change["reasons"]])
        for change in document["resource_changes"]
        if change["action"] not in ("no-op", "skip")
    }


def project_on_main(top: Path, project: str = "", files: Mapping[str, str] = FILES) -> Repository:
    """A repository whose `main` holds the small project, with the branch `work` checked out."""
    repository = Repository(top, project)
    repository.write(files)
    repository.commit("begin")
    repository.git("checkout", "--quiet", "-b", "work")
    return repository
