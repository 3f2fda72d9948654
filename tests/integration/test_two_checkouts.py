"""Two checkouts that share a workspace: what was started from the one isn't lost, doubled or ended by the other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from this_machine import listens

from .conftest import HERE, Copy
from .project import MLPLAN, Project

Two = tuple[Project, Project]


@pytest.fixture
def two(copy: Copy, tmp_path: Path) -> Two:
    """The project in `small/`, checked out by Ann and by Bob."""
    ann, bob = (copy(name, HERE / "small") for name in ("ann", "bob"))
    for project in (ann, bob):
        project.edit("mlplan.yaml", "project: small\n", f"project: small\nworkspace: {tmp_path / 'shared'}\n")
    bob.env["MLPLAN_VAR_port"] = str(ann.port)
    return ann, bob


def state_of(project: Project) -> str:
    (service,) = json.loads(project.mlplan("service", "list", "--format", "json").out)
    return str(service["state"])


def test_a_service_of_another_checkout_is_left_alone(two: Two) -> None:
    ann, bob = two
    ann.apply()
    bob.in_step()
    assert f":{ann.folder};" in "".join(bob.mlplan("plan").out.split())
    assert (state_of(ann), state_of(bob)) == ("Healthy", "Elsewhere")
    for words in (("destroy", "-y"), ("service", "logs", "means")):
        assert "MLP5020" in bob.mlplan(*words, code=1).err

    for project in two:
        project.edit("mlplan.yaml", "default: 0.5", "default: 0.25")
    serving = ann.served_digest()
    assert "MLP5020" in bob.mlplan("apply", "-y", code=1).err
    assert bob.executions("train") == 1
    assert bob.apply("--exclude", "deployment.means")["model.mean"] == ("register", "done")
    assert ann.served_digest() == serving
    assert ann.plan()["deployment.means"][0] == "update"
    ann.apply()
    assert ann.served_digest() != serving
    bob.in_step()


def test_a_service_that_is_ended_in_one_checkout_starts_in_the_other(two: Two) -> None:
    ann, bob = two
    ann.apply()
    ann.mlplan("destroy", "-y", "--only", "deployment.means")
    assert bob.apply()["deployment.means"] == ("create", "done")
    assert (state_of(ann), state_of(bob)) == ("Elsewhere", "Healthy")
    ann.in_step()


def test_a_service_is_taken_over_from_a_checkout_that_is_gone_for_now(two: Two) -> None:
    ann, bob = two
    ann.apply()
    bob.env["MLPLAN_VAR_port"] = str(bob.port)
    assert "MLP5020" in bob.mlplan("apply", "-y", code=1).err
    assert bob.apply("--replace", "deployment.means")["deployment.means"] == ("replace", "done")
    bob.in_step()
    assert listens(ann.port)
    assert "what deployment.means left here" in ann.mlplan("gc", "-y").err
    assert not listens(ann.port)
    assert state_of(bob) == "Healthy"


def test_a_training_that_was_begun_elsewhere_is_told_and_not_waited_for(two: Two, tmp_path: Path) -> None:
    ann, bob = two
    ran, go_on = tmp_path / "ran", tmp_path / "go-on"
    waits = f"import os, time\nopen({str(ran)!r}, 'a').write('ran\\n')\n"
    waits += f"while not os.path.exists({str(go_on)!r}): time.sleep(0.05)\n"
    for project in two:
        script = Path(project.folder) / "scripts" / "train.py"
        script.write_text(waits + script.read_text())
    apply = subprocess.Popen([MLPLAN, "apply", "-y"], cwd=ann.folder, env=ann.env, stderr=subprocess.DEVNULL)
    while not ran.exists():
        assert apply.poll() is None
        time.sleep(0.05)
    os.kill(apply.pid, signal.SIGKILL)
    apply.wait()

    told = json.loads(bob.mlplan("plan", "--format", "json").out)["resource_changes"]
    (notes,) = (change["notes"] for change in told if change["address"] == "run.train")
    assert any(f":{ann.folder}, it may still run there" in note for note in notes)
    go_on.touch()
    assert bob.apply()["run.train"] == ("run", "done")
    assert ran.read_text() == "ran\nran\n"
    assert bob.executions("train") == 1
    bob.in_step()
    ann.in_step()
