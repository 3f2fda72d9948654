"""Secrets in containers: a canary for a run and a service, looked for on the engine and in all that is written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlplan.targets.docker import target as docker_target

from ..canaries import PRINTS, Witness, command_lines, files_below, showing, shown_masked
from ..project import Project
from .on_docker import docker, of

pytestmark = pytest.mark.docker

SECRETS = {"TOKEN": "canary of env/+=&%", "ASK_TOKEN": "canary of inference/+=&%"}
MANIFEST = """\
version: 1
project: canaries
variables:
  port: {type: integer}
compute:
  box: {type: docker, base_image: BASE}
run:
  train: {compute: box, source: code, script: train.py, env: {TOKEN: "Bearer ${{ secret.TOKEN }}"}}
model:
  mean: {run: train, path: outputs/mean.json}
inference:
  scorer: {source: code, entry_script: score.py, env: {ASK: "${{ secret.ask-token }}"}}
deployment:
  means: {compute: box, models: [mean], inference: scorer, port: "${{ var.port }}"}
"""
TRAIN = """\
import os
from prints import tell
tell(os.environ["TOKEN"][7:])
open("outputs/mean.json", "w").write("1")
"""
SCORE = """\
import os
from prints import tell

def init():
    tell(os.environ["ASK"])

def run(data):
    tell(os.environ["ASK"])
    return len(os.environ["ASK"])
"""


@pytest.fixture
def project(tmp_path: Path, docker_base: str) -> Iterator[Project]:
    project = Project(str(tmp_path / "project"))
    project.write("mlplan.yaml", MANIFEST.replace("BASE", docker_base))
    project.write("code/prints.py", PRINTS)
    project.write("code/train.py", TRAIN)
    project.write("code/score.py", SCORE)
    project.env |= {f"MLPLAN_SECRET_{name}": value for name, value in SECRETS.items()}
    yield project
    project.destroy()
    home = docker_target.open(os.path.join(project.folder, ".mlplan"), "", {})
    assert of(home) == []


def on_engine(project: Project) -> dict[str, bytes]:
    """What the engine tells of the project's containers, their images and their output."""
    told: dict[str, bytes] = {}
    for container in of(docker_target.open(os.path.join(project.folder, ".mlplan"), "", {})):
        name = container["Name"]
        told[f"inspect {name}"] = json.dumps(container).encode()
        told[f"logs {name}"] = docker("logs", container["Id"], check=False).encode()
        told[f"top {name}"] = docker("top", container["Id"]).encode()
        told[f"image {name}"] = docker("history", "--no-trunc", container["Image"]).encode()
    return told


def test_no_secret_of_a_container_shows_anywhere(project: Project, tmp_path: Path) -> None:
    run = Witness(project)
    run("apply", "-y", "--format", "json")
    assert json.loads(run("service", "score", "means", "-d", "{}")) == len(SECRETS["ASK_TOKEN"])
    for words in (("run", "logs", "train"), ("service", "logs", "means")):
        log = run(*words)
        assert shown_masked(log), log
    project.edit("code/score.py", "def init():\n", "def init():\n    raise ValueError(os.environ['ASK'])\n")
    run("apply", "-y", code=4)
    assert b"ValueError: ***" in list(run.said.values())[-1]
    project.edit("code/train.py", "import os", "import os; 1 / 0")
    run("apply", "-y", code=None)

    told = on_engine(project)
    assert len(told) == 8  # of the door and the service's container
    assert showing(SECRETS, told) == []
    assert showing(SECRETS, run.said) == []
    assert showing(SECRETS, command_lines()) == []
    assert showing(SECRETS, files_below(tmp_path, without="service-keys")) == []
