"""An apply on the target docker, killed before each of its orders to the engine: the next one loses nothing, repeats
no finished run and leaves one service and nothing else on the engine.

The points are found as the fault campaign finds them (`tests/faults/at_point.py`), which kills applies at their other
effects as well.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from this_machine import free_port

from mlplan.targets.docker import target as docker_target
from mlplan.targets.protocols import Target
from mlplan.workspace.open import open_workspace

from .on_docker import docker, home, of

pytestmark = [pytest.mark.docker, pytest.mark.slow]

AT_POINT = Path(__file__).resolve().parents[2] / "faults" / "at_point.py"
SLICES = 2
DESTROY_EVERY = 5
"""So many points apart, `mlplan destroy` has to remove what stands after the fault; elsewhere the test's end does."""
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
  svc: {{compute: box, models: [m], inference: s, port: {port}, auth: none, collect: {{}}}}
"""
TRAIN = "import pathlib, sys\npathlib.Path('outputs/model.txt').write_text(sys.argv[1])\n"
WAITING = """
import pathlib, time
print("waiting", flush=True)
while not pathlib.Path("/tmp/go").exists():
    time.sleep(0.02)
"""
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
            env={**os.environ, "AT_POINT_ONLY": "http.client.send"},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode != 70, done.stderr
        self.said = f"{done.stdout}\n{done.stderr}"
        return done.returncode

    def begin(self) -> subprocess.Popen[str]:
        """An apply whose training waits for somebody to say `go`."""
        (self.root / "code" / "train.py").write_text(WAITING + TRAIN)
        begun = subprocess.Popen(
            [sys.executable, "-m", "mlplan", "apply", "-y"],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert begun.stderr is not None
        said = ""
        while "| waiting" not in said:
            line = begun.stderr.readline()
            assert line, said
            said += line
        return begun

    def go(self) -> None:
        """Lets the training go on."""
        (job,) = of(self.target, role="job")
        docker("exec", job["Id"], "touch", "/tmp/go")

    def orders(self, report: Path) -> int:
        """How many orders an apply gives that nobody disturbs."""
        assert self.mlplan("apply", "-y", program=(str(AT_POINT), "count", str(report), "--")) == 0, self.said
        return len(json.loads(report.read_text()))

    def killed_at(self, point: int) -> int:
        """Applies and is killed at a point; the exit code."""
        return self.mlplan("apply", "-y", program=(str(AT_POINT), "kill", str(point), "--"))

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


NewProject = Callable[[str], Project]


@pytest.fixture
def new_project(docker_base: str, tmp_path: Path) -> Iterator[NewProject]:
    """Makes a project in a folder of that name. All of them are gone from the engine afterwards."""
    made: list[Project] = []

    def make(name: str) -> Project:
        made.append(Project(tmp_path / name, docker_base, free_port()))
        return made[-1]

    yield make
    for project in made:
        for container in of(project.target):
            docker("rm", "-f", container["Id"])
        project.target.services.delete("svc")
        project.target.clear()


def assert_whole(project: Project, answer: str, trained: int, point: int) -> None:
    """Everything is as the manifest says, each model was trained once, and one service runs and nothing else."""
    assert project.mlplan("plan", "--detailed-exitcode") == 0, (point, project.said)
    assert project.answer() == answer, point
    assert len(set(project.completed())) == len(project.completed()) == trained, point
    # An ended job may stay until there is something to apply again.
    runs = [c["Config"]["Labels"]["dev.mlplan.role"] for c in of(project.target) if c["State"]["Running"]]
    assert sorted(runs) == ["door", "service"], point


def assert_nothing_left(project: Project) -> None:
    """A destroy leaves nothing on the engine."""
    assert project.mlplan("destroy", "-y") == 0, project.said
    assert of(project.target) == []
    assert docker("image", "ls", "-aq", *home(project.target)) == ""
    assert docker("volume", "ls", "-q", *home(project.target)) == ""


@pytest.mark.parametrize("part", range(SLICES))
def test_a_first_apply_that_is_killed_is_completed_by_the_next(
    part: int, new_project: NewProject, tmp_path: Path
) -> None:
    unbroken = new_project("unbroken")
    unbroken.write("0")
    count = unbroken.orders(tmp_path / "orders.json")
    assert_nothing_left(unbroken)
    for point in range(1 + part, count + 1, SLICES):
        project = new_project(f"killed-{point}")
        project.write("0")
        assert project.killed_at(point) in (-9, 0), (point, project.said)

        assert project.mlplan("apply", "-y") == 0, (point, project.said)

        assert_whole(project, "0", 1, point)
        if point % DESTROY_EVERY == 0:
            assert_nothing_left(project)


@pytest.mark.parametrize("part", range(SLICES))
def test_an_update_that_is_killed_is_completed_by_the_next(
    part: int, new_project: NewProject, tmp_path: Path
) -> None:
    project = new_project("project")
    project.write("0")
    assert project.mlplan("apply", "-y") == 0, project.said
    project.write("1")
    count = project.orders(tmp_path / "orders.json")
    for number, point in enumerate(range(1 + part, count + 1, SLICES), start=2):
        project.write(str(number))
        assert project.killed_at(point) in (-9, 0), (point, project.said)
        assert project.answer() in (str(number), str(number - 1)), point

        assert project.mlplan("apply", "-y") == 0, (point, project.said)

        assert_whole(project, str(number), number + 1, point)
    assert_nothing_left(project)


def test_ctrl_c_ends_the_container(new_project: NewProject) -> None:
    project = new_project("project")
    project.write("0")
    applying = project.begin()
    applying.send_signal(signal.SIGINT)
    assert "MLP7022" in applying.communicate(timeout=PATIENCE_S)[1]
    assert applying.returncode == 130
    assert [c["State"]["Running"] for c in of(project.target)] in ([], [False])
    assert project.completed() == []
    assert_nothing_left(project)


def test_a_training_that_outlives_its_apply_is_attached_to(new_project: NewProject) -> None:
    project = new_project("project")
    project.write("0")
    applying = project.begin()
    applying.kill()
    applying.communicate(timeout=PATIENCE_S)
    (before,) = of(project.target, role="job")

    again = project.begin()
    (after,) = of(project.target, role="job")
    assert (after["Id"], after["State"]["Running"]) == (before["Id"], True)
    project.go()
    said = again.communicate(timeout=PATIENCE_S)[1]

    assert again.returncode == 0, said
    assert_whole(project, "0", 1, 0)
    assert_nothing_left(project)
