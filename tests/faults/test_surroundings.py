"""A clock that jumps, a disk that is full or read-only."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from this_machine import wait_until

from .project import PATIENCE_S, TRAIN, Project, new_project

FAULTS = "the clock, the disk"
CLOCK = [sys.executable, str(Path(__file__).with_name("clock.py"))]
needs_mounts = pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own has to be mounted: run as root")


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_jumps_by_a_day_changes_nothing(days: int, project: Project) -> None:
    jump = [*CLOCK, str(days * 86400), "--"]
    project.apply()
    project.mlplan("plan", "--detailed-exitcode", program=jump, code=0)
    project.mlplan("apply", "-y", program=jump, code=0)
    project.write(rate="0.9")
    project.mlplan("apply", "-y", program=jump, code=0)
    project.in_step()
    assert project.finished() == ["train 0.1", "train 0.9"]


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_jumps_takes_no_lease_from_who_lives(days: int, project: Project) -> None:
    gate = project.root / "gate"
    wait = f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.02)\n"
    project.write(train=wait + TRAIN)
    first = project.start("apply", "-y")
    wait_until(lambda: project.outcome()["lease"])
    busy = project.mlplan("apply", "-y", program=[*CLOCK, str(days * 86400), "--"], code=6)
    assert f"pid {first.pid}" in busy.err
    gate.touch()
    _, said = first.communicate(timeout=PATIENCE_S)
    assert first.returncode == 0, said
    assert project.finished() == ["train 0.1"]


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path: Path) -> None:
    """Writes a file until the disk is full to the last byte."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT)
    block = 1 << 16
    while block:
        try:
            os.write(handle, b"x" * block)
        except OSError:
            block //= 2
    os.close(handle)


def leave_room(disk: Path, kilobytes: int) -> None:
    """Fills the disk but for so much."""
    (disk / "room").write_bytes(b"x" * kilobytes * 1024)
    fill(disk / "filler")
    (disk / "room").unlink()


@needs_mounts
def test_a_full_disk_stops_the_apply_and_loses_nothing(tmp_path: Path) -> None:
    """The workspace's disk is full; with space again, the next apply goes on."""
    with small_disk(tmp_path / "disk") as disk:
        project = new_project(disk / "project")
        try:
            project.apply()
            before = project.outcome()
            project.write(rate="0.9")
            fill(disk / "filler")
            ended = project.mlplan("apply", "-y", code=1)
            assert "MLP4302" in ended.err
            assert "make room" in ended.err
            (disk / "filler").unlink()
            assert project.outcome()["versions"] == before["versions"]
            assert project.answer() == ["a,b", "1,2", "0.1"]
            project.apply()
            project.in_step()
            assert project.finished() == ["train 0.1", "train 0.9"]
        finally:
            project.destroy()


@needs_mounts
@pytest.mark.parametrize("left_kb", [0, 4, 8, 24, 40, 64, 100, 160, 300, 500])
def test_a_disk_that_fills_up_on_the_way_loses_nothing(left_kb: int, tmp_path: Path) -> None:
    """Room for a part of the apply: it ends somewhere in the middle, and what was done by then stays done."""
    with small_disk(tmp_path / "disk") as disk:
        project = new_project(disk / "project")
        try:
            quiet = TRAIN.replace('print("trained")', "")
            project.write(train=quiet)
            project.apply()
            project.write(train=quiet, rate="0.9")
            leave_room(disk, left_kb)
            ended = project.apply(code=None)
            assert ended.code in (0, 1, 4), ended
            (disk / "filler").unlink()
            project.apply()
            project.in_step()
            assert project.finished() == ["train 0.1", "train 0.9"]
            assert project.answer() == ["a,b", "1,2", "0.9"]
            project.assert_one_service()
        finally:
            project.destroy()


@needs_mounts
def test_outputs_that_find_no_room_are_kept_once_there_is_some(tmp_path: Path) -> None:
    """The training ends well, and its outputs fit on the disk once, but not twice."""
    with small_disk(tmp_path / "disk") as disk:
        project = new_project(disk / "project")
        try:
            large = 'pathlib.Path("outputs/large.bin").write_bytes(os.urandom(2 << 20))\n'
            project.write(train=TRAIN.replace('print("trained")', large))
            leave_room(disk, 3 << 10)
            ended = project.apply(code=4)
            assert "MLP4302" in ended.err
            again = project.apply(code=1)
            assert "MLP4302" in again.err
            (disk / "filler").unlink()
            project.apply()
            project.in_step()
            assert project.finished() == ["train 0.1"]
        finally:
            project.destroy()


def test_outputs_that_can_never_be_kept_fail_the_run_and_block_nothing(project: Project) -> None:
    project.write(train=TRAIN + 'os.symlink("/etc/hostname", "outputs/hostname")\n')
    ended = project.apply(code=4)
    assert "completed, but what it left can't be taken" in ended.err
    project.write(train=TRAIN + 'open("outputs/metrics.json", "w").write("{")\n')
    ended = project.apply(code=1)
    assert "completed, but what it left can't be taken" in ended.err
    project.write(train=TRAIN + 'os.rename("outputs", "aside")\nopen("outputs", "w").write("x")\n')
    ended = project.apply(code=1)
    assert "completed, but what it left can't be taken" in ended.err
    assert "Mend what its script leaves" in ended.err
    project.write()
    project.apply()
    project.in_step()


@needs_mounts
def test_a_read_only_workspace_plans_and_refuses_to_apply(project: Project) -> None:
    project.apply()
    project.write(rate="0.9")
    root = str(project.root)
    subprocess.run(["mount", "--bind", root, root], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", root], check=True)
        project.mlplan("plan", "--detailed-exitcode", code=2)
        assert "MLP4301" in project.mlplan("apply", "-y", code=1).err
    finally:
        subprocess.run(["umount", "--lazy", root], check=True)
    project.apply()
