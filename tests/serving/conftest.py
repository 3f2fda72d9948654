"""Starts services for a test and ends them after it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from .running import Service, lay_out


class Serve(Protocol):
    """Starts a service; with `live`, in public. It comes back ready, or live. `change` alters its folder before."""

    def __call__(
        self, *, live: bool = False, wait: bool = True, change: Callable[[str], None] | None = None, **described: Any
    ) -> Service: ...


def _starter(folder: Path, started: list[Service]) -> Serve:
    def serve(
        *, live: bool = False, wait: bool = True, change: Callable[[str], None] | None = None, **described: Any
    ) -> Service:
        own = os.path.join(folder, str(len(started)))
        config = lay_out(own, **described)
        if change is not None:
            change(own)
        service = Service(own, config, live=live)
        started.append(service)
        if wait:
            service.wait("live" if live else "ready")
        return service

    return serve


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    started: list[Service] = []
    yield _starter(tmp_path, started)
    for service in started:
        service.stop()


@pytest.fixture(scope="module")
def serve_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """For services that all tests of a module may ask."""
    started: list[Service] = []
    yield _starter(tmp_path_factory.mktemp("services"), started)
    for service in started:
        service.stop()
