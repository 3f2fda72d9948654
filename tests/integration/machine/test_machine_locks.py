"""A lock that another process holds: waited for, but not for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mlplan.errors import ExitCode, Refusal
from mlplan.machine.locks import exclusive

HOLD = """
import fcntl, os, sys
handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(handle, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lock")


@pytest.fixture
def holder(path: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its stdin ends."""
    words = [sys.executable, "-I", "-S", "-c", HOLD, path]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_holder_that_takes_too_long_is_named(path: str, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(Refusal) as caught, exclusive(path, "run train", patience_s=0):
        pass
    assert caught.value.exit_code is ExitCode.BUSY
    (told,) = caught.value.diagnostics
    assert told.code == "MLP8009"
    assert f"process {holder.pid} is at work at run train" in told.detail
    assert f"    kill {holder.pid}\n" in told.hint


def test_a_frozen_holder_is_not_waited_for(path: str, holder: subprocess.Popen[str]) -> None:
    os.kill(holder.pid, signal.SIGSTOP)
    while psutil.Process(holder.pid).status() != psutil.STATUS_STOPPED:
        pass
    with pytest.raises(Refusal) as caught, exclusive(path, "service svc"):
        pass
    (told,) = caught.value.diagnostics
    assert f"process {holder.pid} was frozen in the middle of its work at service svc" in told.detail
    assert f"    kill -KILL {holder.pid}\n    kill -CONT {holder.pid}\n" in told.hint


def test_a_holder_that_ends_is_waited_for(path: str, holder: subprocess.Popen[str]) -> None:
    assert holder.stdin is not None
    holder.stdin.close()
    with exclusive(path, "run train"):
        holder.wait()


def test_what_goes_wrong_inside_is_passed_on(path: str) -> None:
    with pytest.raises(ValueError, match="inside"), exclusive(path, "run train"):
        raise ValueError("inside")
    with exclusive(path, "run train", patience_s=0):
        pass
