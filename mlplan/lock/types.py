"""What the lock file holds, and what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple


class EnvironmentRequest(NamedTuple):
    """What a run or an inference asks of its Python environment, whichever way it was written."""

    python: str  # "3.11"
    requirements: tuple[str, ...]  # PEP 508, sorted, normalised
    indexes: tuple[str, ...] = ()  # --index-url, --extra-index-url and the like, as options
    constraints: tuple[str, ...] = ()  # what a `-c` file says: bounds for packages that others ask for

    @property
    def digest(self) -> str:
        """Names this request in the lock file."""
        return _digest(self.python, self.requirements, self.indexes, self.constraints)


class LockedEnvironment(NamedTuple):
    """A request, resolved."""

    request: str  # digest of the request
    python: str
    packages: tuple[str, ...]  # "scikit-learn==1.5.2 --hash=sha256:... --hash=...", markers included; sorted

    @property
    def digest(self) -> str:
        """The same digest is the same environment."""
        return _digest(self.python, self.packages)


class LockedUrl(NamedTuple):
    """A URL's content as it was first seen."""

    url: str  # without what is secret in it: `urls.py`
    size: int
    sha256: str


class Lock(NamedTuple):
    """The whole file."""

    environments: Mapping[str, LockedEnvironment]  # by digest of the request
    urls: Mapping[str, LockedUrl]


EMPTY = Lock({}, {})
"""The lock of a project that has none yet."""


@lru_cache(maxsize=1024)
def _digest(*fields: str | tuple[str, ...]) -> str:
    # Cached, since hundreds of resources may share one environment with hundreds of kilobytes of hashes.
    from mlplan.json_types import digest_of

    return digest_of(fields)
