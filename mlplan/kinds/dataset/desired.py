"""A dataset, planned: its files by content. The same content is the same version."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from mlplan.errors import Refusal
from mlplan.fingerprint import Part, known, unknown
from mlplan.kinds.dataset.sources import Expanded, expand, is_url
from mlplan.kinds.versions import number_of, stay
from mlplan.lock.urls import public_url
from mlplan.plan.decide import Desired
from mlplan.world import Drift

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.address import Address
    from mlplan.json_types import Json
    from mlplan.kinds.protocol import Reading
    from mlplan.lock.types import LockedUrl
    from mlplan.manifest.resolved import Resource
    from mlplan.plan.changes import Change
    from mlplan.plan.make import Lookup
    from mlplan.state.records import Recorded, State
    from mlplan.workspace.protocols import FileEntry, Tree

CONTENT = "content"
"""The part that decides the version."""
NAMED = 5
"""How many files a reason names before it says how many more there are."""


class Facts(NamedTuple):
    """What is known of a dataset's files."""

    files: Mapping[str, str] | str  # {path in the tree: path here}, or a whole folder by its path
    urls: Mapping[str, str]  # {path in the tree: URL}
    tree: Tree | None  # None while a URL's content isn't pinned
    changed: str  # "2 files changed (a.csv, b.csv)", against what is recorded; "" where nothing is or nothing changed


def read(resource: Resource, reading: Reading) -> Facts:
    """Its files by content; of URLs what `mlplan.lock` says. Raises: Refusal with all that is wrong with `source`."""
    files, urls = find(resource, reading)
    local = reading.files.folder(files).tree if isinstance(files, str) else reading.files.listing(files).tree
    tree = with_urls(local, urls, reading.lock.urls)
    return Facts(files, urls, tree, _what_changed(resource, tree, reading))


def find(resource: Resource, reading: Reading) -> tuple[Mapping[str, str] | str, Mapping[str, str]]:
    """Where the files are: a whole folder as such, the fast way for 100,000 files; anything else file by file."""
    sources = resource.spec["source"]
    root = reading.manifest.root
    if len(sources) == 1 and not is_url(sources[0]):
        folder = os.path.normpath(os.path.join(root, sources[0]))
        if os.path.isdir(folder) and _holds_something(folder):
            return folder, {}
    written = reading.manifest.places
    field = f"{resource.address}.source"  # one source may stand there by itself
    found_at = (written.get(f"{field}.{position}") or written.get(field) for position in range(len(sources)))
    places = [span for span in found_at if span is not None]
    found: Expanded = expand(sources, root, places)
    if found.problems:
        raise Refusal(found.problems)
    return found.files, found.urls


def _holds_something(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(entries)
    except OSError:
        return True  # who reads it says what is wrong


def with_urls(local: Tree, urls: Mapping[str, str], pinned: Mapping[str, LockedUrl]) -> Tree | None:
    """The tree of local files and of URLs as they are pinned; None where one isn't."""
    if not urls:
        return local
    from mlplan.workspace.protocols import FileEntry
    from mlplan.workspace.trees import tree_of

    entries: list[FileEntry] = []
    for path, url in urls.items():
        locked = pinned.get(public_url(url))
        if locked is None:
            return None
        entries.append(FileEntry(path, locked.sha256, locked.size))
    return tree_of([*local.files, *entries])


def _what_changed(resource: Resource, tree: Tree | None, reading: Reading) -> str:
    recorded = reading.state.resources.get(resource.address)
    if tree is None or recorded is None or recorded.outputs["digest"] == tree.digest:
        return ""
    return difference(reading.artifacts.tree(str(recorded.outputs["digest"])).files, tree.files)


def changed_files(address: Address, facts: Facts, reading: Reading) -> list[str]:
    """The files here, absolute, that differ from what is recorded."""
    recorded = reading.state.resources.get(address)
    if facts.tree is None or recorded is None:
        return []
    old = {entry.path: entry for entry in reading.artifacts.tree(str(recorded.outputs["digest"])).files}
    new = {entry.path: entry for entry in facts.tree.files}
    different = [path for path in sorted({**old, **new}) if old.get(path) != new.get(path)]
    if isinstance(facts.files, str):
        return [os.path.join(facts.files, path) for path in different]
    return [facts.files[path] for path in different if path in facts.files]


def difference(before: tuple[FileEntry, ...], after: tuple[FileEntry, ...]) -> str:
    """How two listings differ, in words: `1 file added (c.csv), 2 files changed (a.csv, b.csv)`. Pure."""
    old = {entry.path: entry for entry in before}
    new = {entry.path: entry for entry in after}
    groups = {
        "added": [path for path in new if path not in old],
        "changed": [path for path, entry in new.items() if path in old and old[path] != entry],
        "removed": [path for path in old if path not in new],
    }
    return ", ".join(_said(verb, sorted(paths)) for verb, paths in groups.items() if paths)


def _said(verb: str, paths: list[str]) -> str:
    named = ", ".join(paths[:NAMED]) + (f", and {len(paths) - NAMED} more" if len(paths) > NAMED else "")
    return f"{len(paths)} file{'' if len(paths) == 1 else 's'} {verb} ({named})"


def desired(resource: Resource, facts: Facts, lookup: Lookup, state: State) -> Desired:
    """Its content, description and tags."""
    parts: dict[str, Part] = {
        CONTENT: Part("result", facts.tree.digest) if facts.tree else unknown("result", str(resource.address))
    }
    if resource.spec.get("description"):
        parts["description"] = known("label", resource.spec["description"])
    for key, value in resource.spec["tags"].items():
        parts[f"tag {key}"] = known("label", value)
    details = {CONTENT: facts.changed} if facts.changed else {}
    return Desired(resource.address, parts, resource.spec["protect"], details, notes_on(facts))


def notes_on(facts: Facts) -> tuple[str, ...]:
    """How much it is: `3 files, 12 kB`, or what is to be downloaded."""
    if facts.tree is None:
        return (f"{len(facts.urls)} file{'' if len(facts.urls) == 1 else 's'} to download",)
    from mlplan.kinds.run.snapshot import readable_size

    count = facts.tree.count
    return (f"{count:,} file{'' if count == 1 else 's'}, {readable_size(facts.tree.size)}",)


def drift(recorded: Recorded, reading: Reading) -> tuple[Drift, ...]:
    """Kept files that are missing or damaged."""
    problems = reading.artifacts.problems(str(recorded.outputs["digest"]))
    return tuple(Drift(f"kept file {path}", "missing or damaged") for path in problems)


def yields(change: Change, facts: Facts, state: State) -> Mapping[str, Json] | None:
    """Its version and digest, as soon as its content is known."""
    digest = change.after[CONTENT].digest
    return {"version": number_of(state, change.address, digest), "digest": digest} if digest else None


def loss(recorded: Recorded, state: State) -> str:
    """What removing it from the manifest means."""
    kept = stay(len(state.versions.get(recorded.address, ())), "kept version")
    return f"It is no longer registered anew; {kept} until `mlplan gc`."
