"""An apply on the target docker, killed at one of its effects: the next one loses nothing, repeats no finished run
and leaves one service and nothing else on the engine.

The points are found as the fault campaign finds them (`tests/faults/at_point.py`). There are many, since every
question to the engine is one, so each slice tries some of them, evenly spread.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlplan.targets.docker import target as docker_target
from mlplan.targets.protocols import Target
from mlplan.workspace.open import open_workspace

from .on_docker import docker, home, of

pytestmark = [pytest.mark.docker, pytest.mark.slow]

AT_POINT = Path(__file__).resolve().parents[2] / "faults" / "at_point.py"
SLICES = 4
POINTS = 3
"""How many points each slice tries."""
PATIENCE_S = 120.0

MANIFEST = """
version: 1
project: kills
compute:
  box: {{type: docker, base_image: "{base}"}}
run:
  train: {{compute: box, source: code, script: train.py, arguments: ["{value}"]}}
model:
  m: {{run: train, path: outputs/model.txt}}
inference:
  s: {{source: code, entry_script: score.py}}
deployment:
  svc: {{compute: box, models: [m], inference: s, port: {port}, auth: none}}
"""
TRAIN = "import pathlib, sys\npathlib.Path('outputs/model.txt').write_text(sys.argv[1])\n"
SCORE = """
import os, pathlib
def init():
    global text
    text = pathlib.Path(os.environ["AZUREML_MODEL_DIR"], "model.txt").read_text()
def run(data):
    return text
"""


class Project:
    """A small project, and mlplan run in its folder."""

    def __init__(self, root: Path, base: str, port: int) -> None:
        self.root, self.port, self._base = root, port, base
        (root / "code").mkdir(parents=True)
        (root / "code" / "train.py").write_text(TRAIN)
        (root / "code" / "score.py").write_text(SCORE)
        self.target: Target = docker_target.open(str(root / ".mlplan"), "kills", {"base_image": base})

    def write(self, value: str) -> None:
        """Writes the manifest; another value is another model."""
        text = MANIFEST.format(base=self._base, port=self.port, value=value)
        (self.root / "mlplan.yaml").write_text(text)

    def mlplan(self, *words: str, program: tuple[str, ...] = ("-m", "mlplan")) -> int:
        """The exit code of a command. A bug fails the test."""
        done = subprocess.run(
            [sys.executable, *program, *words],
            cwd=self.root,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode != 70, done.stderr
        self.said = f"{done.stdout}\n{done.stderr}"
        return done.returncode

    def effects(self, report: Path) -> int:
        """How many effects an apply has that nobody disturbs."""
        assert self.mlplan("apply", "-y", program=(str(AT_POINT), "count", str(report), "--")) == 0, self.said
        return len(json.loads(report.read_text()))

    def answer(self) -> str:
        """What the service answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/score", b"{}", method="POST")
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            return str(json.loads(response.read()))

    def completed(self) -> list[str]:
        """The outputs of all completed runs, in order."""
        state = open_workspace(str(self.root), ".mlplan", "kills").log.read()
        return [
            record.outputs or "" for runs in state.runs.values() for record in runs if record.status == "Completed"
        ]


@pytest.fixture
def project(docker_base: str, tmp_path: Path, port: int) -> Iterator[Project]:
    """The project, gone from the engine afterwards."""
    made = Project(tmp_path / "project", docker_base, port)
    yield made
    for container in of(made.target):
        docker("rm", "-f", container["Id"])
    made.target.services.delete("svc")
    made.target.clear()


@pytest.mark.parametrize("part", range(SLICES))
def test_a_killed_apply_is_completed_by_the_next(part: int, project: Project, tmp_path: Path) -> None:
    project.write("0")
    assert project.mlplan("apply", "-y") == 0, project.said
    project.write("1")
    count = project.effects(tmp_path / "effects.json")
    step = max(1, count // (SLICES * POINTS))
    for number, point in enumerate(range(1 + part * step, count + 1, SLICES * step), start=2):
        project.write(str(number))
        killed = project.mlplan("apply", "-y", program=(str(AT_POINT), "kill", str(point), "--"))
        assert killed in (-9, 0), (point, project.said)
        assert project.answer() in (str(number), str(number - 1)), point

        assert project.mlplan("apply", "-y") == 0, (point, project.said)

        assert project.mlplan("plan", "--detailed-exitcode") == 0, (point, project.said)
        assert project.answer() == str(number), point
        assert len(set(project.completed())) == len(project.completed()) == number + 1, point
        # An ended job may stay until there is something to apply again.
        runs = [c["Config"]["Labels"]["dev.mlplan.role"] for c in of(project.target) if c["State"]["Running"]]
        assert sorted(runs) == ["door", "service"], point
    assert project.mlplan("destroy", "-y") == 0, project.said
    assert of(project.target) == []
    assert docker("image", "ls", "-aq", *home(project.target)) == ""
    assert docker("volume", "ls", "-q", *home(project.target)) == ""
