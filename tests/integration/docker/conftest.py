"""The target docker for tests that the laws of `tests/contract/` don't say: images, limits, drift, errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from on_targets import job_spec, remove_all, service_spec
from this_machine import free_port

from mlplan.targets.docker import target as docker_target
from mlplan.targets.protocols import JobSpec, ServiceSpec, Target

SCORE = """
import os

def init():
    print("loading", os.environ.get("SECRET", ""), flush=True)

def run(data):
    return os.environ.get("ANSWER", "one")
"""


@pytest.fixture(params=[True, False], ids=["buildkit", "older-builder"])
def buildkit(request: pytest.FixtureRequest) -> bool:
    """Which of the engine's two builders builds."""
    return bool(request.param)


@pytest.fixture
def open_target(docker_base: str, tmp_path: Path) -> Iterator[Callable[..., Target]]:
    """Opens the target for this test's project; what the test leaves there is removed."""
    opened: list[Target] = []

    def make(**compute: Any) -> Target:
        opened.append(docker_target.open(str(tmp_path / "home"), "test", {"base_image": docker_base, **compute}))
        return opened[-1]

    yield make
    for target in opened[:1]:
        remove_all(target)


@pytest.fixture
def target(open_target: Callable[..., Target]) -> Target:
    """The target, with BuildKit."""
    return open_target()


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., JobSpec]:
    """Makes the spec of a job that runs the given script."""
    return partial(job_spec, tmp_path)


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    return free_port()


@pytest.fixture
def service(tmp_path: Path, port: int) -> Callable[..., ServiceSpec]:
    """Makes the spec of a service whose script answers with the variable ANSWER."""

    def make(answer: str = "one", script: str = SCORE, **changes: Any) -> ServiceSpec:
        named = {"key": f"key-of-{answer}", "digest": f"digest-of-{answer}", "port": port, "env": {"ANSWER": answer}}
        return service_spec(tmp_path, script, **{**named, **changes})

    return make
