"""What all tests share: the flag by which golden files are written anew, and a run that shows what it skipped."""

from __future__ import annotations

import signal

import pytest
from docker_engine import docker_base

__all__ = ["docker_base"]


def pytest_configure() -> None:
    """Made-up inputs are held to what comes out, not to how long it took: this machine may be busy. And Ctrl-C works
    in what tests start, also where a shell runs them in the background: there it is ignored, and children take that
    over."""
    from hypothesis import HealthCheck, settings

    settings.register_profile("mlplan", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("mlplan")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the expected files of tests/golden anew; review the diff"
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written and not compared."""
    return bool(request.config.getoption("--update-golden"))
