"""A clock that jumps, a disk that is full or read-only, a log and other files that are cut, an artifact with a bit
turned, a service that somebody else meddles with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .project import Project, new_project

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
@pytest.mark.parametrize("left_kb", range(8, 200, 16))
def test_a_disk_that_fills_up_on_the_way_loses_nothing(left_kb: int, tmp_path: Path) -> None:
    """Room for a part of the apply: it ends somewhere in the middle."""
    with small_disk(tmp_path / "disk") as disk:
        project = new_project(disk / "project")
        try:
            project.apply()
            project.write(rate="0.9")
            (disk / "room").write_bytes(b"x" * left_kb * 1024)
            fill(disk / "filler")
            (disk / "room").unlink()
            ended = project.mlplan("apply", "-y")
            assert ended.code in (0, 1, 4), ended
            (disk / "filler").unlink()
            project.apply()
            project.in_step()
            assert project.finished().count("train 0.9") == 1
            assert project.answer() == ["a,b", "1,2", "0.9"]
            project.assert_one_service()
        finally:
            project.destroy()


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
