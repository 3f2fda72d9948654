"""`mlplan lock`: pins what the manifest leaves open, or checks that it is pinned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.cli.globals import Globals, tell
from mlplan.cli.project import lock_path, open_project
from mlplan.codes import read as codes
from mlplan.errors import ExitCode, Refusal
from mlplan.kinds.pinned import asked_environments, asked_urls
from mlplan.lock.lockfile import read, write
from mlplan.lock.types import Lock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplan.lock.types import EnvironmentRequest, LockedEnvironment, LockedUrl
    from mlplan.manifest.resolved import Manifest


def run(options: Globals, check: bool, upgrade: tuple[str, ...]) -> ExitCode:
    """Completes mlplan.lock and drops what nothing asks for any more; with `check`, says what it would do."""
    manifest = open_project(options).manifest
    path = lock_path(manifest)
    before = read(path)
    if check:
        return report(manifest, before)
    environments = {r.digest: pinned(r, before, upgrade) for r in asked_environments(manifest)}
    urls = {known_as: pinned_url(url, known_as, before) for known_as, url in asked_urls(manifest).items()}
    after = Lock(environments, urls)
    if after == before:
        tell("mlplan.lock is complete.")
        return ExitCode.OK
    write(path, after)
    tell(f"mlplan.lock pins {len(after.environments)} environment(s) and {len(after.urls)} URL(s).")
    return ExitCode.OK


def report(manifest: Manifest, lock: Lock) -> ExitCode:
    """Raises: Refusal naming each entry that is missing or that nothing asks for; 0 where there is none."""
    asked = {request.digest: request for request in asked_environments(manifest)}
    urls = asked_urls(manifest)
    problems = [
        f"no entry for Python {request.python} with {', '.join(request.requirements)}"
        for digest, request in asked.items()
        if digest not in lock.environments
    ]
    problems += [f"no entry for {url}" for url in urls if url not in lock.urls]
    problems += [f"nothing asks for environment {digest[:10]}" for digest in lock.environments if digest not in asked]
    problems += [f"nothing asks for {url}" for url in lock.urls if url not in urls]
    if not problems:
        tell("mlplan.lock is complete.")
        return ExitCode.OK
    raise Refusal(
        [
            codes.MLP1105.diagnostic(f"mlplan.lock: {problem}.", hint="Bring it up to date:\n    mlplan lock")
            for problem in problems
        ]
    )


def pinned(request: EnvironmentRequest, before: Lock, upgrade: Sequence[str]) -> LockedEnvironment:
    """A request as it is locked already, or resolved now. Packages of the old lock are kept where they fit."""
    from mlplan.lock.resolve import resolve

    known = before.environments.get(request.digest)
    if known is not None and not upgrade:
        return known
    prefer = known.packages if known else [line for old in before.environments.values() for line in old.packages]
    return resolve(request, prefer=prefer, upgrade=upgrade, progress=tell)


def pinned_url(url: str, known_as: str, before: Lock) -> LockedUrl:
    """A URL as it is locked already, or fetched now to learn its size and sha256."""
    if known_as in before.urls:
        return before.urls[known_as]
    import os
    import tempfile

    from mlplan.kinds.dataset.fetch import Download, fetch_all

    tell(f"fetching {known_as}")
    with tempfile.TemporaryDirectory() as folder:
        return fetch_all([Download(url, os.path.join(folder, "content"), None, known_as)])[0]
