"""Artifacts in a bucket, with a copy on this machine: kept in the copy first, then sent; fetched once, read here.

The bucket has the same layout as a folder (artifacts.py, packs.py), but for large files, which are there in parts
(parts.py). What is noted of a tree is sent last and removed first: where it is, everything the tree needs is. A plan
fetches no content, and asks the bucket nothing about artifacts, since object stores check what they hold.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from mlplan.errors import Refusal
from mlplan.workspace.artifacts import FolderArtifacts, Garbage
from mlplan.workspace.bucket import BucketStore
from mlplan.workspace.fetching import digest_in, fetch
from mlplan.workspace.packs import Needs
from mlplan.workspace.parallel import in_parallel
from mlplan.workspace.parts import AT_ONCE, file_of
from mlplan.workspace.protocols import OnBytes, OnSent, Tree
from mlplan.workspace.sealed import SealedStore

LIMIT = 20 << 30
"""Bytes of the local copy beyond which what was longest unused is removed from it."""


class SharedArtifacts:
    """`Artifacts` in a bucket. Safe to use from several threads."""

    def __init__(self, store: BucketStore | SealedStore, copy: FolderArtifacts, *, limit: int = LIMIT) -> None:
        self._store = store
        self._copy = copy
        self._limit = limit

    def put_folder(self, folder: str, *, on_bytes: OnBytes | None = None, on_sent: OnSent | None = None) -> Tree:
        return self._send(self._copy.put_folder(folder, on_bytes=on_bytes), on_sent=on_sent)

    def put_files(
        self, files: Mapping[str, str], *, on_bytes: OnBytes | None = None, on_sent: OnSent | None = None
    ) -> Tree:
        return self._send(self._copy.put_files(files, on_bytes=on_bytes), on_sent=on_sent)

    def tree(self, digest: str) -> Tree:
        if not os.path.exists(self._copy.place(artifact_name(digest))):
            self._fetch([artifact_name(digest)])
        return self._copy.tree(digest)

    def subtree(self, digest: str, path: str) -> Tree | None:
        self.tree(digest)
        needs = self._needs(digest)
        found = self._copy.subtree(digest, path)
        if found is not None:
            inside = {entry.sha256 for entry in found.files}
            loose = {name: size for name, size in needs.loose.items() if name in inside}
            self._send(found, Needs(needs.packs, loose))
        return found

    def check_out(self, digest: str, folder: str, *, read_only: bool = False) -> None:
        self._have(digest)
        self._copy.check_out(digest, folder, read_only=read_only)

    def view(self, digest: str) -> str:
        if not self._copy.has_view(digest):
            self._have(digest)
        return self._copy.view(digest)

    def problems(self, digest: str, *, deep: bool = False) -> Sequence[str]:
        if not deep:
            return ()
        needs = self._needs(digest)
        wanted = names_of(needs)
        there = in_parallel(lambda name: self._store.has(name, wanted[name]), list(wanted), threads=AT_ONCE)
        wrong = {name for name, is_there in zip(wanted, there, strict=True) if not is_there}
        if any(name.startswith("packs/") for name in wrong):
            return tuple(entry.path for entry in self.tree(digest).files if entry.sha256 not in needs.loose)
        return tuple(e.path for e in self.tree(digest).files if artifact_name(e.sha256) in wrong)

    def read_bytes(self, digest: str, path: str) -> bytes:
        self._have(digest)
        return self._copy.read_bytes(digest, path)

    def garbage(self, keep: Iterable[str]) -> Garbage:
        """What none of these trees needs, in the bucket."""
        wanted: set[str] = set()
        for digest in keep:
            with suppress(Refusal):
                wanted.update(names_of(self._needs(digest)))
            wanted.update((artifact_name(digest), note_name(digest)))
        unwanted = {name: size for name, size in self._objects().items() if file_of(name) not in wanted}
        return Garbage(tuple(sorted({digest_in(name) for name in unwanted})), sum(unwanted.values()))

    def remove(self, garbage: Garbage) -> None:
        """Removes what `garbage` found, notes first: a tree that has one has everything."""
        unwanted = set(garbage.digests)
        names = {name for name in self._objects() if digest_in(name) in unwanted}
        notes = names & {note_name(digest) for digest in unwanted}
        in_parallel(self._store.delete, sorted(notes), threads=AT_ONCE)
        in_parallel(self._store.delete, sorted(names - notes), threads=AT_ONCE)
        self._copy.remove(garbage)

    def _objects(self) -> dict[str, int]:
        """The names and sizes of all objects that hold artifacts, parts of unfinished uploads among them."""
        return {
            f"{folder}/{name}": size
            for folder in ("artifacts", "packs")
            for name, size in self._store.objects(folder).items()
        }

    def _send(self, tree: Tree, needs: Needs | None = None, on_sent: OnSent | None = None) -> Tree:
        """Sends what the bucket doesn't have of a tree: content first, the listing, then the note."""
        listing, note = artifact_name(tree.digest), note_name(tree.digest)
        if self._store.object_size(note) is not None:
            return tree
        known = needs or self._copy.needs(tree.digest)
        wanted = names_of(known)
        sent = Sent(sum(wanted.values()), on_sent)

        def send(name: str) -> None:
            if self._store.has(name, wanted[name]):
                sent.add(wanted[name])
            else:
                self._store.upload(name, self._copy.place(name), sent.add)

        if needs is None:
            in_parallel(send, list(wanted), threads=AT_ONCE)
        self._store.upload(listing, self._copy.place(listing))
        self._store.replace(note, known.encode())
        if known.packs:
            self._copy.write_note(tree.digest, known)
        self._copy.trim(self._limit, keep={*wanted, listing})
        return tree

    def _have(self, digest: str) -> None:
        """Fetches what this machine doesn't have of a tree."""
        self.tree(digest)
        wanted = names_of(self._needs(digest))
        self._fetch([name for name, size in wanted.items() if self._copy.size_of(name) != size])
        self._copy.trim(self._limit, keep={*wanted, artifact_name(digest)})

    def _needs(self, digest: str) -> Needs:
        """What a tree needs: its note where it has one, in the copy or in the bucket; otherwise its files."""
        noted = self._copy.noted(digest)
        if noted is None:
            data = self._store.get(note_name(digest))
            noted = Needs.decode(data) if data else None
            if noted is not None:
                self._copy.write_note(digest, noted)
        return noted or Needs({}, {entry.sha256: entry.size for entry in self.tree(digest).files})

    def _fetch(self, names: Sequence[str]) -> None:
        in_parallel(lambda name: fetch(self._store, name, self._copy.root), names, threads=AT_ONCE)
        if any(name.startswith("packs/") for name in names):
            self._copy.look_again()


class Sent:
    """Counts what was sent, from several threads; what is there already counts as sent."""

    def __init__(self, total: int, on_sent: OnSent | None) -> None:
        from threading import Lock

        self._total = total
        self._on_sent = on_sent
        self._done = 0
        self._lock = Lock()

    def add(self, count: int) -> None:
        """So many bytes more."""
        with self._lock:
            self._done += count
            if self._on_sent:
                self._on_sent(self._done, self._total)


def artifact_name(digest: str) -> str:
    """Where kept bytes are, in a folder and in a bucket."""
    return f"artifacts/{digest[:2]}/{digest[2:]}"


def note_name(digest: str) -> str:
    """Where it is noted what a tree needs."""
    return f"packs/{digest}.json"


def names_of(needs: Needs) -> dict[str, int]:
    """The names of what a tree needs, with sizes."""
    loose = {artifact_name(digest): size for digest, size in needs.loose.items()}
    return {**loose, **{f"packs/{name}": size for name, size in needs.packs.items()}}
