"""What the campaign counts, told at its end as a table: points tried and survived, by fault."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .project import Project, new_project
from .results import HEADING, TALLY, as_text, gather, with_results

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
SEED = "MLPLAN_FAULT_SEED"
BEGAN = time.monotonic()

Tally = Callable[[str, int, int], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", action="store_true", help=f"write the results of the campaign to {PAGE.name}")


def pytest_configure() -> None:
    """The campaign's processes start as fast as a user's; all workers share one seed."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault(SEED, str(time.time_ns() % 10**9))


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    """Notes what was tried and how much of it survived: `tally("killed at an effect: pipeline", 21, 21)`."""

    def note(what: str, tried: int, survived: int) -> None:
        record_property(TALLY, [what, tried, survived])

    return note


@pytest.fixture(autouse=True)
def heading(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
    """A test that tallies nothing is one point, under its module's heading."""
    record_property(HEADING, getattr(request.module, "FAULTS", request.module.__name__))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """One project. Whatever a test did to it, nothing of it runs afterwards."""
    made = new_project(tmp_path / "project")
    yield made
    made.destroy()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table; with `--record`, into the docs as well."""
    ended = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, ())
        if report.when == "call" and any(name == HEADING for name, _ in report.user_properties)
    ]
    if not ended or hasattr(config, "workerinput"):  # of xdist's workers each knows a part
        return
    results = gather((report.user_properties, report.passed) for report in ended)
    terminalreporter.section("faults")
    for line in [*as_text(results), f"random moments: {SEED}={os.environ[SEED]} repeats them"]:
        terminalreporter.write_line(line)
    if config.getoption("--record", default=False):
        took = (time.monotonic() - BEGAN) / 60
        made = (
            f"Made by {len(ended)} tests in {took:.0f} minutes on {os.cpu_count()} cores, {platform.system()}, "
            f"Python {platform.python_version()}; random moments by `{SEED}={os.environ[SEED]}`."
        )
        PAGE.write_text(with_results(PAGE.read_text(), results, made))
