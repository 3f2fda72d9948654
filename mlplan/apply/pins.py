"""Completes `mlplan.lock` while an apply goes: each environment and URL is pinned by the first that needs it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from mlplan.lock.check import with_urls
from mlplan.lock.lockfile import read, write
from mlplan.lock.resolve import resolve_missing

if TYPE_CHECKING:
    from mlplan.lock.types import EnvironmentRequest, LockedEnvironment, LockedUrl


class Pins:
    """The lock file, as the threads of one apply complete it."""

    def __init__(self, path: str, stop: threading.Event) -> None:
        self._path = path
        self._stop = stop
        self._lock = threading.Lock()

    def environment(self, request: EnvironmentRequest) -> LockedEnvironment:
        """What is pinned for a request; resolved and written down where nothing is yet. Raises: Refusal."""
        with self._lock:
            lock = read(self._path)
            if request.digest not in lock.environments:
                lock = resolve_missing(lock, [request], root=os.path.dirname(self._path), stop=self._stop)
                write(self._path, lock)
            return lock.environments[request.digest]

    def urls(self, seen: tuple[LockedUrl, ...]) -> None:
        """Writes down what the content of URLs was; what is pinned already stays."""
        with self._lock:
            lock = read(self._path)
            write(self._path, with_urls(lock, [locked for locked in seen if locked.url not in lock.urls]))
