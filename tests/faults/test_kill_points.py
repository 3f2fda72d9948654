"""Kill -9 of an apply at every one of its effects; one plain apply afterwards reaches what an unbroken one reaches.

Four slices a scenario, so that the suite's workers share the work. Each prints how many points it tried.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .project import SCORE, Project, is_open, new_project

SLICES = 4
KILLED = -9


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
    project.write(rate="0.25", score=SCORE.replace("[len(text)]", "[len(text), 2]"))


SCENARIOS = {
    "first apply": Scenario(False, False, leave, ["train.py"]),
    "pipeline": Scenario(True, False, leave, ["prepare.py", "train.py"]),
    "update of a service": Scenario(False, True, edit, ["train.py", "train.py"]),
}


def begin(root: Path, scenario: Scenario) -> Project:
    """The project, ready for the apply that is killed."""
    project = new_project(root, pipeline=scenario.pipeline)
    if scenario.before:
        assert project.mlplan("apply", "-y").returncode == 0
        scenario.edit(project)
    return project


def unbroken(root: Path, scenario: Scenario) -> tuple[dict[str, Any], list[str]]:
    """What an unbroken apply comes to, and its effects in order."""
    project = begin(root / "unbroken", scenario)
    try:
        report = root / "effects.json"
        assert project.killed_at(0, report) == 0
        return project.outcome(), json.loads(report.read_text())
    finally:
        project.destroy()


def without_place(outcome: dict[str, Any]) -> dict[str, Any]:
    """An outcome apart from the folder and port of its project, which differ from one copy to the next."""
    text = json.dumps(outcome, sort_keys=True)
    copy: dict[str, Any] = json.loads(text)
    for recorded in copy["resources"].values():
        for part in ("--count", "port"):
            recorded["parts"].pop(part, None)
        recorded["outputs"].pop("scoring_uri", None)
    return copy


@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_at_any_effect_loses_and_repeats_nothing(name: str, part: int, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]
    expected, effects = unbroken(tmp_path, scenario)
    points = range(1 + part, len(effects) + 1, SLICES)
    for point in points:
        project = begin(tmp_path / f"point-{point}", scenario)
        try:
            code = project.killed_at(point)
            after = project.mlplan("apply", "-y")
            where = f"{name}, killed before effect {point} ({effects[point - 1]}), exit {code}"
            assert after.returncode == 0, f"{where}\n{after.stdout}\n{after.stderr}"
            assert without_place(project.outcome()) == without_place(expected), where
            assert project.finished() == scenario.finished, where
            assert project.mlplan("plan", "--detailed-exitcode").returncode == 0, where
            assert_one_service(project, where)
        finally:
            project.destroy()
        assert project.processes() == [], where
        assert not is_open(project.port), where
    print(f"{name}: {len(points)} of {len(effects)} points tried, all survived")


def assert_one_service(project: Project, where: str) -> None:
    """One generation of the service runs, and nothing else of the project."""
    kinds = sorted(next(w for w in words if w in ("serve", "worker")) for words in project.processes())
    assert kinds == ["serve", "worker"], f"{where}: {project.processes()}"
