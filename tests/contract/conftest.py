"""Every registered target, opened for a project of its own, and the specs that the laws are tried with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from docker_engine import BASE
from on_targets import job_spec, remove_all, service_spec
from this_machine import free_port

from mlplan.targets.protocols import JobSpec, Mount, ServiceSpec, Target
from mlplan.targets.registry import open_target


def _local(home: Path) -> Target:
    return open_target("local", str(home), "test", {})


def _docker(home: Path) -> Target:
    return open_target("docker", str(home), "test", {"base_image": BASE})


OPEN: dict[str, Callable[[Path], Target]] = {
    "docker": _docker,
    "local": _local,
}
"""How each target is opened for a test. A new one joins with a line here; without it `test_every_target` fails."""


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.docker] * (name == "docker")) for name in sorted(OPEN)])
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Target]:
    """Opens the target for the same project, as a later process of mlplan would."""
    if request.param == "docker":
        request.getfixturevalue("docker_base")
    return lambda: OPEN[request.param](tmp_path / "home")


@pytest.fixture
def target(open_again: Callable[[], Target]) -> Iterator[Target]:
    """The target; whatever a test leaves on it is removed."""
    opened = open_again()
    yield opened
    remove_all(opened)


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., JobSpec]:
    """Makes the spec of a job that runs the given script."""
    return partial(job_spec, tmp_path)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A folder that jobs can read."""
    folder = tmp_path / "gate"
    folder.mkdir()
    return Gate(folder)


class Gate:
    """Lets a job wait until the test says `open`, by a file in a folder that the job mounts."""

    WAIT = "import os, sys, time\nwhile not os.path.exists(sys.argv[1] + '/open'): time.sleep(0.01)\n"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.mount = Mount(str(folder), "@gate@")

    def open(self) -> None:
        """Lets it go on."""
        (self._folder / "open").touch()


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    return free_port()


SCORE = """
def init():
    print("loading the model of scorer", flush=True)

def run(data):
    return 1
"""


@pytest.fixture
def service(tmp_path: Path, port: int) -> Callable[..., ServiceSpec]:
    """Makes the spec of a service that serves the given digest."""

    def make(digest: str, *, key: str = "", script: str = SCORE, **changes: Any) -> ServiceSpec:
        key = key or f"key-of-{digest}"
        return service_spec(tmp_path, script, **{"key": key, "digest": digest, "port": port, **changes})

    return make
