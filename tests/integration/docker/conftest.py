"""The target docker for tests that the laws of `tests/contract/` don't say: images, limits, drift, errors."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlplan.targets.docker import target as docker_target
from mlplan.targets.protocols import JobSpec, Resources, ServedModel, ServiceSpec, Target

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
        for key in list(target.jobs.keys()):
            target.jobs.cancel(key, grace_s=0)
            target.jobs.remove(key)
        for name in target.services.names():
            target.services.delete(name)
        target.clear()


@pytest.fixture
def target(open_target: Callable[..., Target]) -> Target:
    """The target, with BuildKit."""
    return open_target()


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., JobSpec]:
    """Makes the spec of a job that runs the given script."""

    def make(script: str, *, key: str = "key-1", **changes: Any) -> JobSpec:
        code = tmp_path / "code"
        code.mkdir(exist_ok=True)
        (code / "train.py").write_text(script)
        spec = JobSpec(
            key=key,
            name="train",
            id=f"train-{key}",
            code=str(code),
            argv=("python", "train.py"),
            env={},
            environment=None,
            mounts=(),
            timeout_s=None,
            resources=Resources(),
            labels={"project": "test", "address": "run.train"},
        )
        return spec._replace(**changes)

    return make


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def service(tmp_path: Path, port: int) -> Callable[..., ServiceSpec]:
    """Makes the spec of a service whose script answers with the variable ANSWER."""

    def make(answer: str = "one", **changes: Any) -> ServiceSpec:
        model, code = tmp_path / "model", tmp_path / "scoring"
        model.mkdir(exist_ok=True)
        (model / "model.txt").write_text("weights")
        code.mkdir(exist_ok=True)
        (code / "score.py").write_text(SCORE)
        spec = ServiceSpec(
            key=f"key-of-{answer}",
            name="scorer",
            project="test",
            models=(ServedModel("model", 1, "", str(model), ""),),
            digest=f"digest-of-{answer}",
            code=str(code),
            code_name="scoring",
            entry_script="score.py",
            env={"ANSWER": answer},
            environment=None,
            host="127.0.0.1",
            port=port,
            replicas=1,
            resources=Resources(),
            keys_file=None,
            settings={},
            labels={"project": "test", "address": "deployment.scorer"},
        )
        return spec._replace(**changes)

    return make
