"""A Docker engine for tests, and the base image that their images are built from.

An engine that runs is used as it is. Where none does and the tests are run by root, `.ci/docker-engine` starts one,
once per machine, and the last of the processes that test ends it. In CI it is installed where it is missing, and a
test without one fails; elsewhere the tests skip and say what to start.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / ".ci" / "docker-engine"
BASE = os.environ.get("MLPLAN_TEST_BASE_IMAGE", "mlplan-test-base:2")
_SHARED = Path(tempfile.gettempdir()) / f"mlplan-test-engine-{os.getuid()}"


@pytest.fixture(scope="session")
def docker_base() -> Iterator[str]:
    """The name of the base image, on an engine that answers."""
    with _alone():
        try:
            if os.environ.get("CI") == "true" and os.getuid() == 0:
                _run("install")
            _have_engine()
            _have_base()
        except _Missing as missing:
            if os.environ.get("CI") == "true":
                pytest.fail(str(missing))
            pytest.skip(str(missing))
        (_SHARED / str(os.getpid())).touch()
    yield BASE
    with _alone():
        (_SHARED / str(os.getpid())).unlink(missing_ok=True)
        users = [entry.name for entry in _SHARED.iterdir() if entry.name.isdigit() and _lives(int(entry.name))]
        if not users and (_SHARED / "started").exists():
            _run("stop")
            (_SHARED / "started").unlink()


class _Missing(Exception):
    """What the tests lack, and how to get it."""


def _have_engine() -> None:
    if shutil.which("docker") and _answers():
        return
    if os.getuid() != 0 or not shutil.which("dockerd"):
        raise _Missing(
            "no Docker engine answers; start one, or as root:\n"
            "    .ci/docker-engine install\n    .ci/docker-engine start"
        )
    (_SHARED / "started").touch()
    _run("start")


def _have_base() -> None:
    if subprocess.run(["docker", "image", "inspect", BASE], capture_output=True, check=False).returncode == 0:
        return
    if os.getuid() != 0 or not shutil.which("debootstrap"):
        raise _Missing(
            f"the base image {BASE} is missing; make it as root with .ci/docker-engine base, or name one that has "
            "python3, venv and h11:\n    MLPLAN_TEST_BASE_IMAGE=NAME"
        )
    _run("base")


def _answers() -> bool:
    return subprocess.run(["docker", "version"], capture_output=True, check=False).returncode == 0


def _run(command: str) -> None:
    done = subprocess.run([SCRIPT, command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise _Missing(f".ci/docker-engine {command} failed:\n{done.stderr}")


def _lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@contextmanager
def _alone() -> Iterator[None]:
    _SHARED.mkdir(exist_ok=True)
    with open(_SHARED / "lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
