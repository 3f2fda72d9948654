"""Kill -9 of an apply at every one of its effects; one plain apply afterwards reaches what an unbroken one reaches.

Every scenario is cut into slices, so that the suite's workers share the work.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from this_machine import listens, wait_until

from .conftest import Tally
from .project import SCORE, Project, new_project

SLICES = 2
DESTROY_EVERY = 8
"""So many points apart, `mlplan destroy` has to remove what stands after the fault; elsewhere a quick end does."""


class Scenario(NamedTuple):
    """What is applied when the kill comes."""

    pipeline: bool
    before: bool  # a first, unbroken apply, so that a service runs already
    edit: Callable[[Project], None]
    finished: list[str]  # scripts that come to their end, all in all


def leave(project: Project) -> None:
    """Applies the project as it was written."""


def edit(project: Project) -> None:
    """Another model and another entry script: the running service is replaced by another generation."""
    project.write(rate="0.25", score=SCORE.replace("text.splitlines()", "text.splitlines() + [2]"))


def remove(project: Project) -> None:
    """The service leaves the manifest, and another one comes in its place on the same port."""
    project.edit("  svc: {", "  svc2: {")


SCENARIOS = {
    "the quickstart's shape": Scenario(False, False, leave, ["train 0.1"]),
    "pipeline": Scenario(True, False, leave, ["prepare", "train 0.1"]),
    "update of a service": Scenario(False, True, edit, ["train 0.1", "train 0.25"]),
    "a service makes way": Scenario(False, True, remove, ["train 0.1"]),
}


def begin(root: Path, scenario: Scenario, place: str = ".mlplan") -> Project:
    """The project, ready for the apply that is killed; `place` is its workspace."""
    project = new_project(root, pipeline=scenario.pipeline, place=place)
    if scenario.before:
        project.apply()
        scenario.edit(project)
    return project


def unbroken(root: Path, scenario: Scenario, place: str = ".mlplan") -> tuple[dict[str, Any], list[str]]:
    """What an unbroken apply comes to, and its effects in order."""
    project = begin(root / "unbroken", scenario, place)
    try:
        effects = project.effects()
        return project.outcome(), effects
    finally:
        project.destroy()


@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_at_any_effect_loses_and_repeats_nothing(name: str, part: int, tmp_path: Path, tally: Tally) -> None:
    scenario = SCENARIOS[name]
    expected, effects = unbroken(tmp_path, scenario)
    points = range(1 + part, len(effects) + 1, SLICES)
    failed: list[str] = []
    for point in points:
        project = begin(tmp_path / f"point-{point}", scenario)
        try:
            killed_at(project, point, expected, scenario.finished)
            if point % DESTROY_EVERY == 0:
                project.mlplan("destroy", "-y", code=0)
                assert project.processes() == []
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failed.append(f"{name}, killed before effect {point} of {len(effects)}: {error}")
        finally:
            project.destroy()
        wait_until(lambda: not listens(project.port))  # noqa: B023 - it is asked at once
        shutil.rmtree(project.root, ignore_errors=True)
    tally(f"killed at an effect: {name}", len(points), len(points) - len(failed))
    assert not failed, "\n\n".join(failed)


def killed_at(project: Project, point: int, expected: dict[str, Any], finished: list[str]) -> None:
    """One point."""
    project.killed_at(point)
    project.apply()
    assert project.outcome() == expected
    assert project.finished() == finished
    project.in_step()
    project.assert_one_service()
