"""Completes `mlplan.lock` while an apply goes: each environment and URL is pinned once, by the first that needs it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from mlplan.lock.lockfile import read, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlplan.lock.types import EnvironmentRequest, LockedEnvironment, LockedUrl


class Pins:
    """The lock file, as the threads of one apply complete it."""

    def __init__(self, path: str, resolve: Callable[[EnvironmentRequest], LockedEnvironment]) -> None:
        self._path = path
        self._resolve = resolve
        self._lock = threading.Lock()

    def environment(self, request: EnvironmentRequest) -> LockedEnvironment:
        """What is pinned for a request; resolved and written down where nothing is yet. Raises: Refusal."""
        with self._lock:
            lock = read(self._path)
            found = lock.environments.get(request.digest)
            if found is None:
                found = self._resolve(request)
                write(self._path, lock._replace(environments={**lock.environments, request.digest: found}))
            return found

    def urls(self, seen: tuple[LockedUrl, ...]) -> None:
        """Writes down what the content of URLs was; what is pinned already stays."""
        with self._lock:
            lock = read(self._path)
            write(self._path, lock._replace(urls={**{locked.url: locked for locked in seen}, **lock.urls}))
