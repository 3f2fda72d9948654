"""Each example, applied for real: what it promises is so, and a second apply finds nothing to do."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from .conftest import EXAMPLES, Copy
from .project import Project

SERVICES = {
    "quickstart": ("digits", [3]),
    "iris-no-code": ("iris", {"predict": ["setosa", "virginica"]}),
    "pipeline": ("wine", {"predict": [1, 2]}),
    "two-models": ("iris", ["setosa", "virginica", "unknown"]),
    "mnist": ("myservice", [3]),
}
"""Each example's service, and what it answers to the example's own request."""


def applied_and_asked(project: Project, name: str) -> None:
    service, answer = SERVICES[name]
    project.apply()
    project.in_step()
    runs = {run: project.executions(run) for run in ("train", "prepare", "train-species", "train-novelty")}
    digest = project.served_digest()
    assert project.apply() == {}
    assert {run: project.executions(run) for run in runs} == runs
    assert project.served_digest() == digest
    assert json.loads(project.mlplan("service", "score", service, "-d", "@testdata.json").out) == answer
    project.destroy()
    assert project.plan()  # everything is to be made again


def test_every_example_is_tried() -> None:
    assert sorted(SERVICES) == sorted(name for name in os.listdir(EXAMPLES) if (EXAMPLES / name).is_dir())


@pytest.mark.parametrize("name", SERVICES)
def test_an_example_is_valid(name: str, copy: Copy) -> None:
    project = copy(name)
    assert "is valid" in project.mlplan("validate").err


@pytest.mark.parametrize("name", ["quickstart", "iris-no-code", "pipeline", "two-models"])
def test_an_example_is_applied_once(name: str, copy: Copy) -> None:
    applied_and_asked(copy(name), name)


def test_the_tutorial_reaches_its_accuracy(copy: Copy, mnist_url: str) -> None:
    project = copy("mnist", mnist_url=mnist_url)
    applied_and_asked(project, "mnist")
    assert metrics(project, "train")["accuracy"] >= 0.918


def test_the_tutorials_service_reads_real_digits(copy: Copy, mnist_url: str, mnist_files: Path) -> None:
    project = copy("mnist", mnist_url=mnist_url)
    project.apply()
    images, labels = some_images(mnist_files, 200)
    answers = project.ask("myservice", {"data": images})
    right = sum(answer == label for answer, label in zip(answers, labels, strict=True))
    assert right >= 180
    assert project.ask("myservice", {"data": [images[labels.index(3)]]}) == [3]


def metrics(project: Project, run: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(project.mlplan("run", "show", run, "--format", "json").out)
    return dict(shown["metrics"])


def some_images(folder: Path, count: int) -> tuple[list[list[float]], list[int]]:
    """The first of MNIST's test images, scaled as the tutorial does, and the digits that they show."""
    pixels = (folder / "t10k-images-idx3-ubyte").read_bytes()[16:]
    labels = (folder / "t10k-labels-idx1-ubyte").read_bytes()[8:]
    images = [[value / 255 for value in pixels[at * 784 : (at + 1) * 784]] for at in range(count)]
    return images, list(labels[:count])


def test_two_runs_go_side_by_side(copy: Copy) -> None:
    project = copy("two-models")
    lines = project.mlplan("apply", "-y", "--format", "json").out.splitlines()
    events = [json.loads(line) for line in lines]
    order = [
        (event["type"], event["address"])
        for event in events
        if event["type"] in ("change_started", "change_finished") and event["address"].startswith("run.")
    ]
    assert {address for kind, address in order[:2] if kind == "change_started"} == {
        "run.train-species",
        "run.train-novelty",
    }


def test_an_edit_of_one_step_of_a_pipeline_runs_that_step(copy: Copy) -> None:
    project = copy("pipeline")
    project.apply()
    project.edit("scripts/prepare.py", "os.makedirs", "print('splitting')\nos.makedirs")
    assert project.plan() == {
        "run.prepare": ("run", ["scripts/prepare.py changed"]),
        "run.train": ("run", ["run prepare outputs (known after apply of run.prepare)"]),
        "model.wine": ("register", ["model bytes (known after apply of run.train)"]),
        "deployment.wine": ("update", ["model wine (known after apply of model.wine)"]),
    }
    assert project.apply() == {
        "run.prepare": ("run", "done"),
        "run.train": ("run", "dropped"),
        "model.wine": ("register", "dropped"),
        "deployment.wine": ("update", "dropped"),
    }
    project.in_step()
