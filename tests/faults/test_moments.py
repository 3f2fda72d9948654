"""Kills at random moments, and many applies at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter

import pytest

from .conftest import SEED, Tally
from .project import PATIENCE_S, Project

KILLS = 200
CHECK_EVERY = 10
ROUNDS = 20
AT_ONCE = 8


@pytest.mark.parametrize("part", range(4))
def test_kills_at_random_moments(part: int, project: Project, tally: Tally) -> None:
    """Edits and applies; kills the apply at some moment; every tenth time one plain apply has to put it right."""
    seed = int(os.environ[SEED]) + part
    chance = random.Random(seed)
    began = time.monotonic()
    project.apply()
    whole_s = time.monotonic() - began  # of an apply, on this machine, now
    expected = ["train 0.1"]
    for turn in range(1, KILLS // 4 + 1):
        if turn % CHECK_EVERY == 1:
            project.write(rate=f"0.{turn:03}")
            expected.append(f"train 0.{turn:03}")
        apply = project.start("apply", "-y")
        try:
            apply.wait(timeout=chance.uniform(0.02, 0.6) * whole_s)
        except subprocess.TimeoutExpired:
            apply.send_signal(signal.SIGKILL)
        apply.communicate()
        if turn % CHECK_EVERY == 0:
            project.apply()
            project.in_step()
            project.assert_one_service()
            assert project.finished() == expected, f"seed {seed}, turn {turn}"
    tally("killed at a random moment", KILLS // 4, KILLS // 4)


@pytest.mark.parametrize("half", range(2))
def test_of_eight_applies_at_once_one_works(half: int, project: Project, tally: Tally) -> None:
    """The others wait their turn, or leave with exit code 6, or find nothing left to do; nothing is done twice."""
    ends: Counter[int] = Counter()
    expected = []
    for turn in range(1, ROUNDS // 2 + 1):
        project.write(rate=f"0.{turn:02}")
        expected.append(f"train 0.{turn:02}")
        patience = ["--lock-timeout", "60"] if turn % 2 else []
        applies = [project.start("apply", "-y", *patience) for _ in range(AT_ONCE)]
        said = [apply.communicate(timeout=PATIENCE_S)[1] for apply in applies]
        codes = [apply.returncode for apply in applies]
        ends.update(codes)
        assert 0 in codes, f"round {turn}: {codes}, {said}"
        assert set(codes) <= ({0} if patience else {0, 6}), f"round {turn}: {codes}, {said}"
        assert all("pid" in text for text, code in zip(said, codes, strict=True) if code == 6), said
        assert project.finished() == expected, f"round {turn}"
        project.assert_one_service()
    project.in_step()
    serials = sorted(int(path.stem) for path in (project.workspace / "log").iterdir())
    assert serials == list(range(1, len(serials) + 1))
    print(f"exit codes of {ROUNDS // 2} rounds of {AT_ONCE}: {dict(ends)}")
    tally("rounds of eight applies at once", ROUNDS // 2, ROUNDS // 2)
