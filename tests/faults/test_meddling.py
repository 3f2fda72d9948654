"""Somebody meddles with a running service: kills it, takes its port, changes its model on the disk. The plan says so,
and one apply puts it right without a training."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from this_machine import listens, wait_until

from .project import PATIENCE_S, Project

FAULTS = "a service killed, its port taken, its files changed"


@pytest.fixture
def served(project: Project) -> Iterator[Project]:
    """A project whose service runs. However the test meddles with it, an apply has to put it right."""
    project.apply()
    before = project.outcome()
    yield project
    project.apply()
    project.assert_as_before(before)


def kill(project: Project, *kinds: str) -> None:
    """Kills the service's processes of these kinds."""
    killed = [process for process in project.processes() if set(kinds) & set(process.cmdline())]
    assert len(killed) == len(kinds)
    for process in killed:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(killed, timeout=PATIENCE_S)


def drift(project: Project) -> str:
    """What the plan says of a world that differs."""
    said = project.mlplan("plan", "--detailed-exitcode").out
    assert "Drift" in said, said
    return said


def test_all_of_it_killed(served: Project) -> None:
    kill(served, "serve", "worker")
    assert "its process is gone" in drift(served)


def test_its_first_process_killed(served: Project) -> None:
    kill(served, "serve")
    assert "its process is gone" in drift(served)


def test_its_worker_killed(served: Project) -> None:
    """The service itself puts that right."""
    kill(served, "worker")

    def serves() -> bool:
        with contextlib.suppress(OSError):
            return bool(served.answer())
        return False

    wait_until(serves)


def test_its_port_taken(served: Project) -> None:
    """The apply names who listens there, and ends; what it could not do it does once the port is free."""
    kill(served, "serve", "worker")
    wait_until(lambda: not listens(served.port))
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", served.port))
        other.listen()
        refused = served.apply(code=1)
        assert "MLP8002" in refused.err
        assert str(served.port) in refused.err
        assert served.outcome()["intents"] == 0


def model_in_service(project: Project) -> Path:
    (model,) = (project.workspace / "services").rglob("model.txt")
    return model


def test_its_model_changed(served: Project) -> None:
    model_in_service(served).write_text("other bytes")
    assert "model.txt" in drift(served)


def test_its_model_changed_and_the_service_killed(served: Project) -> None:
    """Started again from what lies there, it would serve another model than the one that was recorded."""
    model_in_service(served).write_text("other bytes")
    kill(served, "serve", "worker")
    drift(served)


def test_its_folder_removed(served: Project) -> None:
    """The processes go on without it; a second service must not come beside them."""
    shutil.rmtree(served.workspace / "services" / "svc")
    drift(served)
