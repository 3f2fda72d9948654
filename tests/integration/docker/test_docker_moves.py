"""A compute that changes its type: what stood on the one target goes to the other, and nothing stays behind."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from mlplan.targets.docker import target as docker_target

from ..project import Project
from .on_docker import docker, home, of

pytestmark = pytest.mark.docker
LOCAL = "{type: local, max_nodes: 2}"
PORT = "    port: ${{ var.port }}\n"


@pytest.fixture
def moving(small: Project) -> Iterator[Project]:
    """A project that keeps its requests. All of it is gone from the engine afterwards."""
    small.edit("mlplan.yaml", PORT, PORT + "    collect: {}\n")
    yield small
    small.mlplan("destroy", "-y")
    small.mlplan("gc", "-y", code=None)


def test_a_compute_goes_from_processes_to_containers_and_back(moving: Project, docker_base: str) -> None:
    in_containers = f"{{type: docker, base_image: {docker_base!r}}}"
    target = docker_target.open(os.path.join(moving.folder, ".mlplan"), "small", {})
    moving.apply()
    assert moving.ask("means", {"data": [100, 0]}) == ["above", "below"]

    moving.edit("mlplan.yaml", LOCAL, in_containers)
    assert moving.plan()["deployment.means"][0] == "replace"
    assert moving.mlplan("plan").err == ""  # that it listens on its port itself is no warning
    assert json.loads(moving.mlplan("service", "show", "means", "--format", "json").out)["state"] == "Healthy"
    assert moving.apply()["deployment.means"] == ("replace", "done")
    assert not os.path.exists(os.path.join(moving.folder, ".mlplan", "services", "means"))
    assert moving.ask("means", {"data": [100, 0]}) == ["above", "below"]
    moving.in_step()

    moving.edit("mlplan.yaml", in_containers, LOCAL)
    assert moving.apply()["deployment.means"] == ("replace", "done")
    assert moving.ask("means", {"data": [100, 0]}) == ["above", "below"]
    assert of(target) == []
    assert docker("volume", "ls", "-q", *home(target)) == docker("image", "ls", "-aq", *home(target)) == ""
    days = json.loads(moving.mlplan("service", "data", "means", "--format", "json").out)
    assert sum(day["records"] for day in days) >= 2  # the third may not be written yet
    moving.in_step()
