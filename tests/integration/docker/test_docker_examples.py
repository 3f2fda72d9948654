"""The examples in containers, by the real command line: applied, edited, drifted, mended, destroyed, nothing left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlplan.targets.docker import target as docker_target
from mlplan.targets.protocols import Target

from ..project import Project
from .on_docker import docker, home, of

pytestmark = [pytest.mark.docker, pytest.mark.slow]
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
SERVICES = {
    "quickstart": ("digits", [3]),
    "iris-no-code": ("iris", {"predict": ["setosa", "virginica"]}),
    "pipeline": ("wine", {"predict": [1, 2]}),
    "two-models": ("iris", ["setosa", "virginica", "unknown"]),
}


class InContainers(Project):
    """A project with its profile `docker`."""

    def mlplan(self, *words: str, code: int | None = 0) -> Any:
        return super().mlplan("--profile", "docker", *words, code=code)


@pytest.fixture
def example(docker_base: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[InContainers]:
    """A copy of the example that the test names, gone from the engine afterwards."""
    folder = tmp_path / "project"
    ignored = shutil.ignore_patterns(".mlplan", "__pycache__", "mlplan.lock")
    shutil.copytree(EXAMPLES / request.param, folder, ignore=ignored)
    project = InContainers(str(folder), {"base_image": docker_base})
    yield project
    target = on_engine(project)
    for container in of(target):
        docker("rm", "-f", container["Id"])
    for name in {name for name, _ in SERVICES.values()}:
        target.services.delete(name)
    target.clear()


def on_engine(project: Project) -> Target:
    """The target that the project's containers are on."""
    return docker_target.open(f"{project.folder}/.mlplan", "", {})


@pytest.mark.parametrize(("example", "name"), [(name, name) for name in SERVICES], indirect=["example"])
def test_an_example_lives_in_containers(example: InContainers, name: str) -> None:
    service, answer = SERVICES[name]
    target = on_engine(example)

    def answers() -> bool:
        said = example.mlplan("service", "score", service, "-d", "@testdata.json").out
        return bool(json.loads(said) == answer)

    example.apply()
    assert answers()
    example.in_step()
    first = of(target, role="service")

    # An edit of what a model is made by, and the service follows.
    script = next((Path(example.folder) / "scripts").glob("train*.py"))
    script.write_text(f"{script.read_text()}\nprint('edited')\n")
    ran = [address for address, (action, _) in example.plan().items() if action == "run"]
    assert ran
    done = example.apply()
    assert all(done[address] == ("run", "done") for address in ran)
    assert example.plan() == {}
    assert answers()

    # Drift: somebody removes the service's container.
    docker("rm", "-f", of(target, role="service")[0]["Id"])
    (drifted,) = example.plan().items()
    assert drifted[0] == f"deployment.{service}"
    assert "its containers were removed" in "".join(drifted[1][1])
    example.apply()
    assert example.plan() == {}
    assert answers()
    assert of(target, role="service")[0]["Id"] != first[0]["Id"]

    example.mlplan("destroy", "-y")
    assert of(target) == []
    assert docker("image", "ls", "-aq", *home(target)) == ""
    assert docker("volume", "ls", "-q", *home(target)) == ""
