"""A dataset, applied: downloaded where it has to be, kept by content, and given its version."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from mlplan.codes import apply as codes
from mlplan.errors import Refusal
from mlplan.events import ProgressMade
from mlplan.json_types import digest_of
from mlplan.kinds.dataset.desired import CONTENT, Facts, find, with_urls
from mlplan.kinds.filling import Filling
from mlplan.kinds.keeping import telling
from mlplan.kinds.protocol import Performed
from mlplan.kinds.versions import number_of
from mlplan.lock.types import LockedUrl
from mlplan.lock.urls import public_url
from mlplan.state.entries import Versioned

if TYPE_CHECKING:
    from mlplan.json_types import Json
    from mlplan.kinds.dataset.fetch import Download
    from mlplan.kinds.protocol import Attempt, Effects
    from mlplan.manifest.resolved import Resource
    from mlplan.plan.changes import Change
    from mlplan.state.records import Recorded


def prepare(resource: Resource, facts: Facts, effects: Effects) -> Facts:
    """Fetches URLs that `mlplan.lock` doesn't pin yet, and pins them."""
    if facts.tree is not None:
        return facts
    pinned = effects.reading.lock.urls
    new = {path: url for path, url in facts.urls.items() if public_url(url) not in pinned}
    found = _fetch(resource, facts._replace(urls=new), effects)
    effects.lock_urls(found)
    pinned = {**pinned, **{locked.url: locked for locked in found}}
    files = effects.reading.files
    local = (files.folder(facts.files) if isinstance(facts.files, str) else files.listing(facts.files)).tree
    return facts._replace(tree=with_urls(local, facts.urls, pinned))


def perform(resource: Resource, facts: Facts, change: Change, attempt: Attempt, effects: Effects) -> Performed:
    """Keeps the files and gives them their number: a new one, or the one that they have."""
    address = resource.address
    state = effects.state()
    digest = str(change.after[CONTENT].digest)
    if change.action != "update":
        _keep(resource, facts, digest, effects)
    number = number_of(state, address, digest)
    assert facts.tree is not None
    amount: dict[str, Json] = {"size_bytes": facts.tree.size, "files": facts.tree.count}
    details = {**amount, "sources": [public_url(source) for source in resource.spec["source"]]}
    new = state.version_of(address, digest) is None
    entries = (Versioned(address, number, digest, details),) if new else ()
    return Performed({"version": number, "digest": digest, **amount}, entries)


def _keep(resource: Resource, facts: Facts, digest: str, effects: Effects) -> None:
    """Puts the bytes into the workspace. Raises: Refusal where they are no longer what the plan saw."""
    artifacts = effects.reading.artifacts
    on_bytes, on_sent = telling(resource.address, facts.tree.size if facts.tree else None, effects)
    kept = _kept_already(resource, facts, effects)
    missing = {path: url for path, url in facts.urls.items() if path not in kept}
    if missing:
        _fetch(resource, facts._replace(urls=missing), effects)
    files, _ = find(resource, effects.reading)
    if isinstance(files, str):
        tree = artifacts.put_folder(files, on_bytes=on_bytes, on_sent=on_sent)
    else:
        downloaded = {path: _target(resource, path, url, effects) for path, url in missing.items()}
        tree = artifacts.put_files({**files, **kept, **downloaded}, on_bytes=on_bytes, on_sent=on_sent)
    if tree.digest != digest:
        raise Refusal(
            [
                codes.MLP7011.diagnostic(
                    f"The files of {resource.address} changed while they were read.",
                    hint="Wait until nothing writes there, then\n    mlplan apply",
                    address=resource.address,
                )
            ]
        )
    for path, url in missing.items():
        shutil.rmtree(os.path.dirname(_target(resource, path, url, effects)), ignore_errors=True)


def _kept_already(resource: Resource, facts: Facts, effects: Effects) -> dict[str, str]:
    """{path in the tree: path here} of what the recorded version has of URLs' content: it isn't fetched again."""
    recorded = effects.state().resources.get(resource.address)
    if not facts.urls or facts.tree is None or recorded is None:
        return {}
    artifacts = effects.reading.artifacts
    before = str(recorded.outputs["digest"])
    if artifacts.problems(before):
        return {}
    wanted = {entry.path: entry.sha256 for entry in facts.tree.files if entry.path in facts.urls}
    known = {entry.sha256: entry.path for entry in artifacts.tree(before).files}
    if not known.keys() & wanted.values():
        return {}
    view = artifacts.view(before)
    return {path: os.path.join(view, known[digest]) for path, digest in wanted.items() if digest in known}


def _fetch(resource: Resource, facts: Facts, effects: Effects) -> tuple[LockedUrl, ...]:
    """Downloads what isn't there yet. Raises: Refusal."""
    from mlplan.kinds.dataset.fetch import fetch_all

    downloads = [_download(resource, path, facts, effects) for path in facts.urls]
    for download in downloads:
        os.makedirs(os.path.dirname(download.target), exist_ok=True)

    def on_progress(name: str, done: int, total: int | None) -> None:
        effects.emit(ProgressMade(resource.address, f"download {name.rpartition('/')[2]}", done, total))

    return fetch_all(downloads, on_progress=on_progress, stop=effects.stop)


def _download(resource: Resource, path: str, facts: Facts, effects: Effects) -> Download:
    from mlplan.kinds.dataset.fetch import Download

    url = facts.urls[path]
    known_as = public_url(url)
    locked = effects.reading.lock.urls.get(known_as) or _pinned_meanwhile(path, known_as, facts)
    return Download(Filling(effects).text(url), _target(resource, path, url, effects), locked, known_as)


def _pinned_meanwhile(path: str, known_as: str, facts: Facts) -> LockedUrl | None:
    """What `prepare` found at a URL, so that what it fetched isn't asked for again."""
    entries = facts.tree.files if facts.tree else ()
    found = next((entry for entry in entries if entry.path == path), None)
    return LockedUrl(known_as, found.size, found.sha256) if found else None


def _target(resource: Resource, path: str, url: str, effects: Effects) -> str:
    """Where a download goes until it is kept. Two datasets may name one URL, and be fetched side by side."""
    name = digest_of([str(resource.address), url])[:16]
    return os.path.join(effects.home, "cache", "downloads", name, path)


def remove(recorded: Recorded, effects: Effects) -> None:
    """Nothing stands in the world for it: versions stay in the workspace."""
