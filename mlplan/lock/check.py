"""The lock file against what the manifest asks for: what it lacks, what nothing uses any more. Pure.

`mlplan lock` completes and prunes, `lock --check` only says, `lock --upgrade URL` forgets an entry so that it is
taken anew. (`resolve.py` has `upgrade_package`.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlplan.codes import read as codes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlplan.address import Address
    from mlplan.diagnostics import Diagnostic
    from mlplan.lock.types import EnvironmentRequest, Lock, LockedEnvironment, LockedUrl


class LockCheck(NamedTuple):
    """How a lock and a manifest fit together."""

    missing_environments: tuple[Address, ...]  # whose request isn't resolved
    missing_urls: tuple[tuple[Address, str], ...]  # a dataset and a URL of it that isn't pinned
    unused_environments: tuple[LockedEnvironment, ...]
    unused_urls: tuple[str, ...]

    def diagnostics(self) -> list[Diagnostic]:
        """The same for the user: an error for each thing missing, one warning for all that is unused."""
        found = [
            codes.MLP1105.diagnostic(f"The packages of {address} are not pinned.", hint=_HINT, address=address)
            for address in self.missing_environments
        ]
        found += [
            codes.MLP1105.diagnostic(f"{url} of {address} is not pinned.", hint=_HINT, address=address)
            for address, url in self.missing_urls
        ]
        unused = [f"an environment of Python {e.python} ({e.request[:16]})" for e in self.unused_environments]
        unused += self.unused_urls
        if unused:
            found.append(codes.MLP1106.diagnostic(f"Nothing asks for {', '.join(unused)}.", hint=_HINT))
        return found


_HINT = "Bring the lock file up to date, and commit it:\n    mlplan lock"


def check_lock(
    lock: Lock, requests: Mapping[Address, EnvironmentRequest], urls: Mapping[Address, Iterable[str]]
) -> LockCheck:
    """How the lock fits the requests of runs and services, and the URLs of datasets (as the lock file names them)."""
    asked = {request.digest for request in requests.values()}
    named = {url for address in urls for url in urls[address]}
    return LockCheck(
        tuple(address for address, request in requests.items() if request.digest not in lock.environments),
        tuple((address, url) for address in urls for url in urls[address] if url not in lock.urls),
        tuple(environment for digest, environment in lock.environments.items() if digest not in asked),
        tuple(url for url in lock.urls if url not in named),
    )


def pruned(lock: Lock, check: LockCheck) -> Lock:
    """The lock without what nothing uses."""
    environments = {environment.request for environment in check.unused_environments}
    return lock._replace(
        environments={digest: e for digest, e in lock.environments.items() if digest not in environments},
        urls={url: entry for url, entry in lock.urls.items() if url not in check.unused_urls},
    )


def with_environment(lock: Lock, environment: LockedEnvironment) -> Lock:
    """The lock with one more environment, or another answer to the same request."""
    return lock._replace(environments={**lock.environments, environment.request: environment})


def with_urls(lock: Lock, urls: Iterable[LockedUrl]) -> Lock:
    """The lock with these URLs' content, in the place of what it said of them."""
    return lock._replace(urls={**lock.urls, **{entry.url: entry for entry in urls}})


def without_url(lock: Lock, url: str) -> Lock:
    """The lock without a URL's content, so that the next fetch takes what is there now."""
    return lock._replace(urls={known: entry for known, entry in lock.urls.items() if known != url})
