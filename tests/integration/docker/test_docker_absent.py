"""The command line on a project in containers where no engine answers. None is needed for these."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ..project import Project

MANIFEST = """
version: 1
project: absent
compute:
  box: {type: docker, base_image: "base:1"}
dataset:
  rows: {source: rows.csv}
run:
  train: {compute: box, source: code, script: train.py, arguments: ["${{ dataset.rows.path }}"]}
model:
  m: {run: train, path: outputs/model.txt}
inference:
  s: {source: code, entry_script: score.py}
deployment:
  svc: {compute: box, models: [m], inference: s, port: 7000}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose engine is nowhere."""
    made = Project(str(tmp_path))
    made.env["DOCKER_HOST"] = f"unix://{tmp_path}/none.sock"
    made.write("mlplan.yaml", MANIFEST)
    made.write("rows.csv", "1,2\n")
    made.write("code/train.py", "")
    made.write("code/score.py", "")
    return made


def test_an_apply_does_what_it_can_and_sums_up(project: Project) -> None:
    said = project.mlplan("apply", "-y", code=4).err

    assert said.count("MLP8201") == 1
    assert "run.train failed" in said
    assert "not started: model.m, deployment.svc" in said
    assert project.plan().keys() == {"run.train", "model.m", "deployment.svc"}
    assert "What box keeps stays: Nothing answers at" in project.mlplan("gc", "-y").err


def test_what_is_built_on_another_image_is_run_and_served_anew(project: Project) -> None:
    commit(project)
    project.edit("mlplan.yaml", "base:1", "base:2")
    commit(project)

    planned = json.loads(project.mlplan("plan", "--base", "HEAD~1", "--format", "json").out)["resource_changes"]

    for address in ("run.train", "deployment.svc"):
        (change,) = (change for change in planned if change["address"] == address)
        assert "compute base_image base:1 -> base:2" in [reason["text"] for reason in change["reasons"]]


def commit(project: Project) -> None:
    """Commits the folder as it is."""
    author = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    for words in (["init", "--quiet"], ["add", "."], [*author, "commit", "--quiet", "--message", "as it is"]):
        subprocess.run(["git", *words], cwd=project.folder, check=True)
