"""What the campaign counts, told at its end as a table: points tried and survived, by scenario."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .project import Project, new_project

TALLY = "faults"

Tally = Callable[[str, int, int], None]
NewProject = Callable[..., Project]


def pytest_configure() -> None:
    """The campaign's processes start as fast as a user's."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    """Notes what was tried and how much of it survived: `tally("killed at an effect: pipeline", 21, 21)`."""

    def note(what: str, tried: int, survived: int) -> None:
        record_property(TALLY, [what, tried, survived])

    return note


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """One project. Whatever a test did to it, nothing of it runs afterwards."""
    made = new_project(tmp_path / "project")
    yield made
    made.destroy()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table."""
    tried: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            for name, value in getattr(report, "user_properties", ()):
                if name == TALLY and report.when == "call":
                    what, *numbers = value
                    tried[what] += numbers[0]
                    survived[what] += numbers[1]
    if tried:
        terminalreporter.section("faults")
        width = max(map(len, tried))
        terminalreporter.write_line(f"{'':{width}}   tried  survived")
        for what in sorted(tried):
            terminalreporter.write_line(f"{what:{width}}  {tried[what]:6}  {survived[what]:8}")
