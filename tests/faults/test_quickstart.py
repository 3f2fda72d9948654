"""Kill -9 of an apply of examples/quickstart itself, scikit-learn and all, at its effects.

Training and serving take seconds each, so CI tries a sample of the points; MLPLAN_TEST_ALL_POINTS=1 tries them all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from this_machine import free_port

from .conftest import Tally
from .project import Project
from .test_kill_points import killed_at

EXAMPLE = Path(__file__).parents[2] / "examples" / "quickstart"
EVERY = 1 if os.environ.get("MLPLAN_TEST_ALL_POINTS") else 9
SLICES = 2
COUNT = """
with open(os.getcwd().split("/.mlplan/")[0] + "/finished.txt", "a") as finished:
    finished.write("train\\n")
"""


@pytest.mark.slow
@pytest.mark.parametrize("part", range(SLICES))
def test_a_kill_at_an_effect_of_the_quickstart_loses_and_repeats_nothing(
    part: int, tmp_path: Path, tally: Tally
) -> None:
    unbroken = quickstart(tmp_path / "unbroken")
    try:
        effects = unbroken.effects()
        expected = unbroken.outcome()
    finally:
        unbroken.destroy()
    points = range(1, len(effects) + 1, EVERY)[part::SLICES]
    failed: list[str] = []
    for point in points:
        project = quickstart(tmp_path / f"point-{point}")
        try:
            killed_at(project, point, expected, ["train"])
            assert project.mlplan("service", "score", "digits", "-d", "@testdata.json", code=0).out == "[3]\n"
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failed.append(f"killed before effect {point} of {len(effects)}: {error}")
        finally:
            project.destroy()
        shutil.rmtree(project.root, ignore_errors=True)
    tally("killed at an effect: examples/quickstart", len(points), len(points) - len(failed))
    assert not failed, "\n\n".join(failed)


def quickstart(root: Path) -> Project:
    """A copy of the example. Its script tells when it has come to its end; its service has a port of its own."""
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".mlplan", "__pycache__", "mlplan.lock"))
    project = Project(root, free_port(), name="quickstart")
    project.edit("default: 6780", f"default: {project.port}")
    with open(root / "scripts" / "train.py", "a", encoding="utf-8") as script:
        script.write(COUNT)
    return project
