"""An apply is frozen at one of its effects, its lease is broken, and another one applies a newer edit. Woken, the
first one must find that it may do nothing more: what the second one did stands, and nothing of the first one's runs.

Frozen, a process still holds what it held. Where the second apply needs that very thing it must not wait for ever: it
says who holds it, and ends with exit code 6.
"""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from this_machine import wait_until

from .conftest import Tally
from .project import AT_POINT, PATIENCE_S, Project, new_project

SLICES = 4


@pytest.mark.parametrize("part", range(SLICES))
def test_a_frozen_holder_does_nothing_when_it_wakes(part: int, tmp_path: Path, tally: Tally) -> None:
    project = new_project(tmp_path / "project")
    failed: list[str] = []
    held_up = 0
    try:
        project.apply()
        project.write(rate="0.0")
        points = range(1 + part, len(project.effects()) + 1, SLICES)
        for point in points:
            try:
                held_up += frozen_at(project, point)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                failed.append(f"frozen before effect {point}: {error}")
                project.destroy()
                project.apply()
    finally:
        project.destroy()
    tally("frozen at an effect, woken after another took over", len(points), len(points) - len(failed))
    tally("frozen at an effect: the other one told who holds it up", held_up, held_up)
    assert not failed, "\n\n".join(failed)


def frozen_at(project: Project, point: int) -> bool:
    """One point; whether the second apply was held up by the first."""
    project.write(rate=f"{point}.1")
    first = project.start("apply", "-y", program=[*AT_POINT, "freeze", str(point), "--"])
    try:
        wait_until(lambda: first.poll() is not None or psutil.Process(first.pid).status() == psutil.STATUS_STOPPED)
        held = first.poll() is None and "is held by" in project.mlplan("unlock", "-y", code=0).err
        project.write(rate=f"{point}.2")
        second = project.apply(code=None)
        told = second.code == 6
        assert told or second.code == 0, second
        assert not told or f"process {first.pid}" in second.err, second.err
        first.send_signal(signal.SIGCONT)
        _, said = first.communicate(timeout=PATIENCE_S)
        # 0: it was done already but for tidying up, or it had no lease yet and had its turn after the other one.
        assert first.returncode in ((0, 6) if held else (0, 6, 7)), said
        assert "MLP9001" not in said, said
        if told or not held:  # without a lease to lose, it could work after the other one, with what it had read
            project.apply()
        project.in_step()
        project.assert_one_service()
        assert project.answer() == ["a,b", "1,2", f"{point}.2"]
        lines = project.finished()
        assert lines.count(f"train {point}.2") == 1, lines
        assert lines.count(f"train {point}.1") <= 1, lines
        assert project.outcome()["intents"] == 0
    finally:
        first.kill()
        first.communicate()
    return told
