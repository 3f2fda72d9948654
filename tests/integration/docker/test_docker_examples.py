"""The examples in containers, by the real command line: applied, edited, drifted, mended, destroyed, nothing left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from this_machine import free_port

from mlplan.targets.docker import target as docker_target
from mlplan.targets.protocols import Target

from ..project import Project
from .on_docker import docker, home, of, publish_elsewhere

pytestmark = [pytest.mark.docker, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[3] / "examples"


class Drift(NamedTuple):
    """Something that somebody does behind mlplan's back."""

    do: Callable[[Target, str], object]  # the second argument is the base image
    words: str  # what the plan says of it


def container(target: Target) -> dict[str, Any]:
    """The service's container."""
    return of(target, role="service")[0]


def tag_another(target: Target, base: str) -> None:
    docker("tag", base, container(target)["Config"]["Labels"]["dev.mlplan.image"])


DRIFTS = {
    "stopped": Drift(lambda t, _: docker("stop", container(t)["Id"]), "its container was stopped"),
    "removed": Drift(lambda t, _: docker("rm", "-f", container(t)["Id"]), "its containers were removed"),
    "edited": Drift(lambda t, _: docker("update", "--cpus", "0.5", container(t)["Id"]), "cpu limit edited"),
    "re-tagged": Drift(tag_another, "re-tagged"),
    "port changed": Drift(
        lambda t, base: publish_elsewhere(of(t, role="door")[0], base, free_port()), "its port was changed to"
    ),
}


class Life(NamedTuple):
    """What an example is put through."""

    service: str
    answer: Any  # to its testdata.json
    drifts: tuple[str, ...] = ("removed",)


EXAMPLES = {
    "quickstart": Life("digits", [3], tuple(DRIFTS)),
    "iris-no-code": Life("iris", {"predict": ["setosa", "virginica"]}),
    "pipeline": Life("wine", {"predict": [1, 2]}),
    "two-models": Life("iris", ["setosa", "virginica", "unknown"]),
}


class InContainers(Project):
    """A project with its profile `docker`."""

    def mlplan(self, *words: str, code: int | None = 0) -> Any:
        return super().mlplan("--profile", "docker", *words, code=code)


NewExample = Callable[..., InContainers]


@pytest.fixture
def new_example(docker_base: str, tmp_path: Path) -> Iterator[NewExample]:
    """Copies an example: `new_example("mnist", mnist_url=url)`. All of them are gone from the engine afterwards."""
    made: list[InContainers] = []

    def make(name: str, **variables: str) -> InContainers:
        folder = tmp_path / "project"
        ignored = shutil.ignore_patterns(".mlplan", "__pycache__", "mlplan.lock")
        shutil.copytree(ROOT / name, folder, ignore=ignored)
        made.append(InContainers(str(folder), {"base_image": docker_base, **variables}))
        return made[-1]

    yield make
    for project in made:
        target = on_engine(project)
        for left in of(target):
            docker("rm", "-f", left["Id"])
        target.clear()


def on_engine(project: Project) -> Target:
    """The target that the project's containers are on."""
    return docker_target.open(f"{project.folder}/.mlplan", "", {})


def answer(example: InContainers, service: str) -> Any:
    """What the example's service answers to its testdata.json."""
    return json.loads(example.mlplan("service", "score", service, "-d", "@testdata.json").out)


def assert_nothing_left(example: InContainers) -> None:
    """A destroy leaves nothing on the engine."""
    example.mlplan("destroy", "-y")
    target = on_engine(example)
    assert of(target) == []
    for what in (["image", "ls", "-aq"], ["volume", "ls", "-q"], ["network", "ls", "-q"]):
        assert docker(*what, *home(target)) == ""


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_lives_in_containers(name: str, new_example: NewExample, docker_base: str) -> None:
    service, expected, drifts = EXAMPLES[name]
    example = new_example(name)
    target = on_engine(example)

    assert example.plan()[f"deployment.{service}"][0] == "create"
    example.apply()
    assert example.plan() == {}
    assert answer(example, service) == expected

    # An edit of what a model is made by, and the service follows.
    script = next((Path(example.folder) / "scripts").glob("train*.py"))
    script.write_text(f"{script.read_text()}\nprint('edited')\n")
    ran = [address for address, (action, _) in example.plan().items() if action == "run"]
    assert ran
    done = example.apply()
    assert all(done[address] == ("run", "done") for address in ran)
    assert example.plan() == {}
    assert answer(example, service) == expected

    for drift in (DRIFTS[drift] for drift in drifts):
        drift.do(target, docker_base)
        (drifted,) = example.plan().items()
        assert drifted[0] == f"deployment.{service}"
        assert drift.words in "".join(drifted[1][1])
        example.apply()
        assert example.plan() == {}
        assert answer(example, service) == expected

    # What stays for later, and nothing uses now, goes when it is asked to.
    assert "image mlplan/" in example.mlplan("gc", "-y").err
    assert docker("image", "ls", "-q", *home(target)).split() == [container(target)["Image"].partition(":")[2][:12]]
    assert example.plan() == {}
    assert answer(example, service) == expected

    assert_nothing_left(example)


def test_the_tutorial_lives_in_containers(new_example: NewExample, mnist_url: str) -> None:
    example = new_example("mnist", mnist_url=mnist_url)
    example.apply()
    assert example.plan() == {}
    assert answer(example, "myservice") == [3]
    assert_nothing_left(example)
