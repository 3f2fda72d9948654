"""Kill -9 of an apply at the requests by which it writes to a bucket: before the server got one, and after the server
did it but before the apply knew. One plain apply afterwards reaches what an unbroken one reaches.

What an apply does on its own machine is killed by `test_kill_points.py`; here a proxy before the server does it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from object_stores import Proxy, azure, azure_server, s3, s3_server

from mlplan.errors import ExitCode

from .conftest import Tally
from .project import PATIENCE_S, Project, new_project
from .test_kill_points import SCENARIOS, Scenario, begin, unbroken

__all__ = ["azure", "azure_server", "s3", "s3_server"]

pytestmark = pytest.mark.buckets

Point = TypeVar("Point")

ENDPOINTS = {"s3": "AWS_ENDPOINT_URL", "azure": "AZURE_STORAGE_ENDPOINT"}
WRITES = ("PUT", "POST", "DELETE")


class Killer(Proxy):
    """Counts the requests that write, and sends a signal to who sends them at the `point`-th."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self.aim(0)

    def aim(
        self, point: int, *, taken: bool = False, only: str = "", signal_number: signal.Signals = signal.SIGKILL
    ) -> None:
        """The signal comes at this request of those that have `only` in their path; 0 is never. `taken`: the server
        gets that request all the same."""
        self.point, self.taken, self.only_path, self.signal_number = point, taken, only, signal_number
        self.writes: list[str] = []
        self.victim = 0
        self.is_known, self.struck = threading.Event(), threading.Event()

    def know(self, victim: subprocess.Popen[str]) -> None:
        """Who the signal is for."""
        self.victim = victim.pid
        self.is_known.set()

    def next_fault(self, method: str, path: str) -> str:
        if method not in WRITES or self.only_path not in path:
            return ""
        self.writes.append(f"{method} {path}")
        if len(self.writes) != self.point:
            return ""
        assert self.is_known.wait(PATIENCE_S)
        os.kill(self.victim, self.signal_number)
        self.struck.set()
        return "lost answer" if self.taken else "cut"


@pytest.fixture(params=ENDPOINTS)
def killer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Killer]]:
    """A place in a bucket, and the proxy that it is reached through."""
    place = request.getfixturevalue(request.param)
    proxy = Killer(request.getfixturevalue(f"{request.param}_server"))
    monkeypatch.setenv(ENDPOINTS[request.param], proxy.address)
    yield place, proxy
    proxy.close()


SLICES = 3
BEFORE_EVERY = 4
"""What the server didn't get leaves what the request before it left, once that was taken: so few are tried."""
EFFECTS_EVERY = 1 if os.environ.get("MLPLAN_TEST_ALL_POINTS") else 24
"""Of the effects that an apply has on its own machine, `test_kill_points.py` tries all, with a folder."""


@pytest.mark.parametrize("part", range(SLICES))
def test_a_kill_at_any_write_loses_and_repeats_nothing(
    killer: tuple[str, Killer], part: int, tmp_path: Path, tally: Tally
) -> None:
    place, proxy = killer
    project = new_project(tmp_path / "unbroken", place=f"{place}/unbroken")
    try:
        project.apply()
        expected, writes = project.outcome(), list(proxy.writes)
    finally:
        project.destroy()

    def kill(project: Project, point: tuple[int, bool]) -> None:
        proxy.aim(point[0], taken=point[1])
        victim = project.start("apply", "-y")
        proxy.know(victim)
        victim.communicate(timeout=PATIENCE_S)
        proxy.aim(0)

    points = [(point, True) for point in range(1, len(writes) + 1)]
    points += [(point, False) for point in range(1, len(writes) + 1, BEFORE_EVERY)]
    failed = killed_at_each(
        points[part::SLICES], kill, expected, tmp_path, place, SCENARIOS["the quickstart's shape"]
    )
    tried = len(points[part::SLICES])
    tally(f"killed at a write to a bucket: {place.partition(':')[0]}", tried, tried - len(failed))
    assert not failed, "\n\n".join(failed)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_at_an_effect_of_its_own_loses_and_repeats_nothing(
    killer: tuple[str, Killer], name: str, tmp_path: Path, tally: Tally
) -> None:
    place, _ = killer
    scenario = SCENARIOS[name]
    expected, effects = unbroken(tmp_path, scenario, f"{place}/unbroken")
    first = list(SCENARIOS).index(name) * EFFECTS_EVERY // len(SCENARIOS)  # not the same of each
    points = range(1, len(effects) + 1)[first::EFFECTS_EVERY]
    failed = killed_at_each(points, Project.killed_at, expected, tmp_path, place, scenario)
    tally(f"killed at an effect, with a bucket: {place.partition(':')[0]}", len(points), len(points) - len(failed))
    assert not failed, "\n\n".join(failed)


def killed_at_each(
    points: Sequence[Point],
    kill: Callable[[Project, Point], object],
    expected: object,
    root: Path,
    place: str,
    scenario: Scenario,
) -> list[str]:
    """What went wrong at which point: each has a project of its own, killed there and applied once more."""
    failed = []
    for number, point in enumerate(points):
        project = begin(root / f"{number}", scenario, f"{place}/{number}")
        try:
            kill(project, point)
            project.apply()
            assert project.outcome() == expected
            assert project.finished() == scenario.finished
            project.in_step()
            project.assert_one_service()
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failed.append(f"killed at {point}: {error}")
        finally:
            project.destroy()
    return failed


@pytest.mark.parametrize("commit", [4, 6, 8])
def test_a_holder_that_slept_at_a_commit_finds_it_refused(
    killer: tuple[str, Killer], commit: int, tmp_path: Path, tally: Tally
) -> None:
    place, proxy = killer
    project = new_project(tmp_path / "project", place=place)
    try:
        proxy.aim(commit, only="/log/", signal_number=signal.SIGSTOP)
        sleeper = project.start("apply", "-y")
        proxy.know(sleeper)
        assert proxy.struck.wait(PATIENCE_S), "the apply didn't come to that commit"
        proxy.aim(0)
        project.mlplan("unlock", "-y", code=0)
        project.apply()
        outcome = project.outcome()
        sleeper.send_signal(signal.SIGCONT)
        _, said = sleeper.communicate(timeout=PATIENCE_S)
        assert sleeper.returncode == ExitCode.BUSY, said
        assert "MLP4102" in said
        assert project.outcome() == outcome
        assert project.finished() == ["train 0.1"]
        project.in_step()
        project.assert_one_service()
    finally:
        project.destroy()
    tally("slept at a commit, woken after another's apply", 1, 1)
