"""The target local on a stand-in for the scoring runtime that misbehaves on demand: `fake_runtime/`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from on_targets import job_spec, service_spec
from this_machine import free_port

from mlplan.targets.local.jobs import LocalJobs
from mlplan.targets.local.services import LocalServices
from mlplan.targets.protocols import JobSpec, ServiceSpec

FAKE_RUNTIME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake_runtime")


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[LocalJobs]:
    """The jobs of one project; what a test leaves of them is removed."""
    opened = LocalJobs(str(tmp_path / "runs"))
    yield opened
    for key in opened.keys():  # noqa: SIM118 - no mapping
        opened.remove(key)


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., JobSpec]:
    """Makes the spec of a job that runs the given script."""
    return partial(job_spec, tmp_path)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[LocalServices]:
    """The services of one project; what a test leaves of them is deleted."""
    opened = LocalServices(str(tmp_path / "services"), FAKE_RUNTIME)
    yield opened
    for name in opened.names():
        opened.delete(name)


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    return free_port()


@pytest.fixture
def service(tmp_path: Path, port: int) -> Callable[..., ServiceSpec]:
    """Makes the spec of a service that serves the given digest. The stand-in needs no script."""

    def make(digest: str, **changes: Any) -> ServiceSpec:
        named: dict[str, Any] = {"key": f"key-{digest}", "digest": digest, "port": port}
        return service_spec(tmp_path, "", **{**named, **changes})

    return make
