"""`mlplan lock`: pins what the manifest leaves open, or checks that it is pinned."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from mlplan.cli.globals import Globals, tell
from mlplan.cli.problems import tell_problems
from mlplan.cli.project import lock_path, open_project
from mlplan.diagnostics import has_errors
from mlplan.errors import ExitCode
from mlplan.kinds.pinned import asked_environments, asked_urls
from mlplan.lock.check import check_lock, pruned, with_urls, without_url
from mlplan.lock.lockfile import read, write
from mlplan.lock.resolve import resolve_missing, upgrade_package
from mlplan.views.values import counted

if TYPE_CHECKING:
    from mlplan.lock.check import LockCheck
    from mlplan.lock.types import Lock, LockedUrl
    from mlplan.manifest.resolved import Manifest


def run(options: Globals, check: bool, upgrade: tuple[str, ...]) -> ExitCode:
    """Completes mlplan.lock and drops what nothing asks for any more; with `check`, says what is missing."""
    manifest = open_project(options).manifest
    path = lock_path(manifest)
    before = read(path)
    if check:
        problems = compared(manifest, before).diagnostics()
        tell_problems(problems)
        if not problems:
            tell(settled(path))
        return ExitCode.FAILED if has_errors(problems) else ExitCode.OK
    after = complete(manifest, before, upgrade)
    if after == before:
        tell(settled(path))
        return ExitCode.OK
    write(path, after)
    pinned = f"{counted(len(after.environments), 'environment')} and {counted(len(after.urls), 'URL')}"
    tell(f"mlplan.lock pins {pinned}.")
    return ExitCode.OK


def settled(path: str) -> str:
    """That nothing is to be done."""
    return "mlplan.lock is complete." if os.path.exists(path) else "The manifest leaves nothing open to pin."


def compared(manifest: Manifest, lock: Lock) -> LockCheck:
    """How the lock fits what the manifest asks for."""
    urls = {address: tuple(named) for address, named in asked_urls(manifest).items()}
    return check_lock(lock, asked_environments(manifest), urls)


def complete(manifest: Manifest, lock: Lock, upgrade: tuple[str, ...]) -> Lock:
    """The lock with everything that is asked for, the named packages and URLs taken anew, and nothing left over."""
    urls = {known_as: url for named in asked_urls(manifest).values() for known_as, url in named.items()}
    for name in upgrade:
        if name in urls:
            lock = without_url(lock, name)
    requests = list(asked_environments(manifest).values())
    lock = resolve_missing(lock, requests, root=manifest.root, on_line=tell)
    for name in upgrade:
        if name not in urls:
            lock = upgrade_package(lock, requests, name, root=manifest.root, on_line=tell)
    lock = with_urls(lock, fetched({name: url for name, url in urls.items() if name not in lock.urls}))
    return pruned(lock, compared(manifest, lock))


def fetched(urls: dict[str, str]) -> tuple[LockedUrl, ...]:
    """The size and sha256 of what these URLs hold, {as the lock file names it: URL}. Nothing of it is kept.

    Raises: Refusal for what can't be fetched, or where a secret in a URL isn't at hand.
    """
    if not urls:
        return ()
    from mlplan.kinds.dataset.fetch import Download, fetch_all
    from mlplan.kinds.secret_values import with_secrets

    with tempfile.TemporaryDirectory(prefix="mlplan-lock-") as folder:
        downloads = [
            Download(with_secrets(url), os.path.join(folder, str(number)), None, known_as)
            for number, (known_as, url) in enumerate(urls.items())
        ]
        return fetch_all(downloads, on_progress=lambda name, done, total: None)
