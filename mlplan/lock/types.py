"""What the lock file holds, and what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class EnvironmentRequest(NamedTuple):
    """What a run or an inference asks of its Python environment, whichever way it was written."""

    python: str  # "3.11"
    requirements: tuple[str, ...]  # PEP 508, sorted, normalised
    indexes: tuple[str, ...] = ()  # --index-url, --extra-index-url and the like, as options

    @property
    def digest(self) -> str:
        """Names this request in the lock file."""
        from mlplan.json_types import digest_of

        return digest_of([self.python, list(self.requirements), list(self.indexes)])


class LockedEnvironment(NamedTuple):
    """A request, resolved."""

    request: str  # digest of the request
    python: str
    packages: tuple[str, ...]  # "scikit-learn==1.5.2 --hash=sha256:... --hash=...", markers included; sorted

    @property
    def digest(self) -> str:
        """The same digest is the same environment."""
        from mlplan.json_types import digest_of

        return digest_of([self.python, list(self.packages)])


class LockedUrl(NamedTuple):
    """A URL's content as it was first seen."""

    url: str
    size: int
    sha256: str


class Lock(NamedTuple):
    """The whole file."""

    environments: Mapping[str, LockedEnvironment]  # by digest of the request
    urls: Mapping[str, LockedUrl]
