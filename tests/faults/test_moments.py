"""Kills at random moments, many applies at once, a frozen holder, a clock that jumps, a disk that is full."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from .project import MLPLAN, Project, new_project
from .test_kill_points import assert_one_service

KILLS = 200
CHECK_EVERY = 10
ROUNDS = 20
AT_ONCE = 8


def start(project: Project, *words: str) -> subprocess.Popen[bytes]:
    """A command in the background."""
    return subprocess.Popen(
        [*MLPLAN, *words], cwd=project.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@pytest.mark.parametrize("half", range(2))
def test_kills_at_random_moments(half: int, tmp_path: Path) -> None:
    """Edits and applies; kills the apply at some moment; every tenth time one plain apply has to put it right."""
    seed = int(os.environ.get("MLPLAN_FAULT_SEED", time.time_ns() % 10**9)) + half
    print(f"seed {seed} (MLPLAN_FAULT_SEED={seed - half} repeats it)")
    chance = random.Random(seed)
    project = new_project(tmp_path / "project")
    try:
        for turn in range(1, KILLS // 2 + 1):
            if turn % CHECK_EVERY == 1:
                project.write(rate=f"0.{turn}")
            apply = start(project, "apply", "-y")
            time.sleep(chance.uniform(0.02, 1.3))
            apply.kill()
            apply.wait()
            if turn % CHECK_EVERY == 0:
                after = project.mlplan("apply", "-y")
                assert after.returncode == 0, f"seed {seed}, turn {turn}\n{after.stdout}\n{after.stderr}"
                assert project.mlplan("plan", "--detailed-exitcode").returncode == 0, f"seed {seed}, turn {turn}"
                assert_one_service(project, f"seed {seed}, turn {turn}")
                rates = turn // CHECK_EVERY
                assert project.finished() == ["train.py"] * rates, f"seed {seed}, turn {turn}"
    finally:
        project.destroy()
    assert project.processes() == []


def test_of_eight_applies_at_once_one_works(tmp_path: Path) -> None:
    """The others wait their turn, or leave with exit code 6, or find nothing left to do; nothing is done twice."""
    project = new_project(tmp_path / "project")
    ends: Counter[int] = Counter()
    try:
        for turn in range(1, ROUNDS + 1):
            project.write(rate=f"0.{turn:02}")
            patience = ["--lock-timeout", "60"] if turn % 2 else []
            applies = [start(project, "apply", "-y", *patience) for _ in range(AT_ONCE)]
            codes = [apply.wait(timeout=120) for apply in applies]
            ends.update(codes)
            assert 0 in codes, f"round {turn}: {codes}"
            assert set(codes) <= {0, 6}, f"round {turn}: {codes}"
            assert project.finished() == ["train.py"] * turn, f"round {turn}"
            assert_one_service(project, f"round {turn}")
        assert project.mlplan("plan", "--detailed-exitcode").returncode == 0
        serials = [int(path.stem) for path in (project.root / ".mlplan/log").iterdir()]
        assert sorted(serials) == list(range(1, len(serials) + 1))
    finally:
        project.destroy()
    print(f"{ROUNDS} rounds of {AT_ONCE}: exit codes {dict(ends)}")


def test_a_frozen_holder_that_lost_its_lease_stops_when_it_wakes(tmp_path: Path) -> None:
    """An apply is frozen in the middle of a run, its lease is broken, another one finishes the work; woken, the
    first one finds its commit refused, and nothing is recorded twice."""
    project = new_project(tmp_path / "project")
    slow = "import time\ntime.sleep(3)\n"
    (project.root / "code/train.py").write_text(slow + (project.root / "code/train.py").read_text())
    try:
        first = start(project, "apply", "-y")
        wait_for(lambda: any("supervise" in " ".join(words) for words in project.processes()))
        first.send_signal(signal.SIGSTOP)
        assert project.mlplan("unlock", "-y").returncode == 0
        second = project.mlplan("apply", "-y")
        assert second.returncode == 0, second.stderr
        before = project.outcome()
        first.send_signal(signal.SIGCONT)
        assert first.wait(timeout=60) not in (0, 70)
        assert project.outcome() == before
        assert project.finished() == ["train.py"]
        assert project.mlplan("plan", "--detailed-exitcode").returncode == 0
        assert_one_service(project, "after the frozen holder woke")
    finally:
        project.destroy()


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_jumps_by_a_day_changes_nothing(days: int, tmp_path: Path) -> None:
    project = new_project(tmp_path / "project")
    try:
        assert project.mlplan("apply", "-y").returncode == 0
        jump = [sys.executable, str(Path(__file__).with_name("clock.py")), str(days * 86400), "--"]
        for words in (["plan", "--detailed-exitcode"], ["apply", "-y"]):
            ended = subprocess.run([*jump, *words], cwd=project.root, capture_output=True, text=True, check=False)
            assert ended.returncode == 0, ended.stderr
        project.write(rate="0.9")
        ended = subprocess.run([*jump, "apply", "-y"], cwd=project.root, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        assert project.mlplan("plan", "--detailed-exitcode").returncode == 0
        assert project.finished() == ["train.py", "train.py"]
    finally:
        project.destroy()


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk of its own has to be mounted: run as root")
def test_a_full_disk_stops_the_apply_and_loses_nothing(tmp_path: Path) -> None:
    """The workspace's disk fills up in the middle; with space again, the next apply goes on."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)], check=True)
    project = new_project(disk / "project")
    try:
        assert project.mlplan("apply", "-y").returncode == 0
        before = project.outcome()
        project.write(rate="0.9")
        filler = disk / "filler"
        with filler.open("wb") as stream:
            try:
                while True:
                    stream.write(b"x" * 4096)
                    stream.flush()
            except OSError:
                pass
        ended = project.mlplan("apply", "-y")
        assert ended.returncode not in (0, 70), ended.stderr
        assert "Traceback" not in ended.stderr
        assert "No space left" in ended.stderr or "full" in ended.stderr, ended.stderr
        filler.unlink()
        assert project.outcome()["versions"] == before["versions"]
        after = project.mlplan("apply", "-y")
        assert after.returncode == 0, after.stderr
        assert project.mlplan("plan", "--detailed-exitcode").returncode == 0
    finally:
        project.destroy()
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="the project has to be mounted read-only: run as root")
def test_a_read_only_workspace_plans_and_refuses_to_apply(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project")
    try:
        assert project.mlplan("apply", "-y").returncode == 0
        project.write(rate="0.9")
        subprocess.run(["mount", "--bind", str(project.root), str(project.root)], check=True)
        subprocess.run(["mount", "-o", "remount,ro,bind", str(project.root)], check=True)
        try:
            assert project.mlplan("plan", "--detailed-exitcode").returncode == 2
            ended = project.mlplan("apply", "-y")
            assert ended.returncode == 1, ended.stderr
            assert "MLP4" in ended.stderr
        finally:
            subprocess.run(["umount", "--lazy", str(project.root)], check=True)
        assert project.mlplan("apply", "-y").returncode == 0
    finally:
        project.destroy()


def wait_for(condition: object, seconds: float = 20) -> None:
    """Until a condition holds. Fails where it doesn't come to hold in time."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
