"""Artifacts in a bucket, with a copy on this machine: kept in the copy first, then sent; fetched once, read here.

The bucket has the same layout as a folder (artifacts.py, packs.py), so what was written in one place can be read in
the other. A tree's listing is sent last: where it is, everything it needs is. A plan fetches no content, and asks the
bucket nothing about artifacts, since object stores check what they hold.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.workspace.artifacts import FolderArtifacts, Garbage
from mlplan.workspace.bucket import AT_ONCE
from mlplan.workspace.copying import open_new, write_all
from mlplan.workspace.folder import aside_path, make_folder, refusal
from mlplan.workspace.packs import Needs
from mlplan.workspace.parallel import in_parallel
from mlplan.workspace.protocols import OnBytes, OnSent, Tree
from mlplan.workspace.store import ContentStore

LIMIT = 20 << 30
"""Bytes of the local copy beyond which what was longest unused is removed from it."""


class SharedArtifacts:
    """`Artifacts` in a bucket. Safe to use from several threads."""

    def __init__(self, store: ContentStore, copy: FolderArtifacts, *, limit: int = LIMIT) -> None:
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
        sizes = in_parallel(self._store.size, list(wanted), threads=AT_ONCE)
        wrong = {name for name, size in zip(wanted, sizes, strict=True) if size != wanted[name]}
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
        found = {f"artifacts/{name}": size for name, size in self._store.sizes("artifacts").items()}
        found.update({f"packs/{name}": size for name, size in self._store.sizes("packs").items()})
        unwanted = {name: size for name, size in found.items() if name not in wanted}
        digests = {name.removeprefix("artifacts/").removeprefix("packs/").replace("/", "") for name in unwanted}
        return Garbage(
            tuple(sorted(digest for digest in digests if not digest.endswith(".json"))), sum(unwanted.values())
        )

    def remove(self, garbage: Garbage) -> None:
        """Removes what `garbage` found, listings first: a tree that has one has everything."""
        names = [
            name
            for digest in garbage.digests
            for name in (artifact_name(digest), note_name(digest), f"packs/{digest}")
        ]
        in_parallel(self._store.delete, [name for name in names if name.startswith("artifacts/")], threads=AT_ONCE)
        in_parallel(self._store.delete, [name for name in names if name.startswith("packs/")], threads=AT_ONCE)
        self._copy.remove(garbage)

    def _send(self, tree: Tree, needs: Needs | None = None, on_sent: OnSent | None = None) -> Tree:
        """Sends what the bucket doesn't have of a tree: content first, the listing last."""
        listing = artifact_name(tree.digest)
        if self._store.size(listing) is not None:
            return tree
        known = needs or self._copy.needs(tree.digest)

        wanted = names_of(known)
        sent = Sent(sum(wanted.values()), on_sent)

        def send(name: str) -> None:
            if self._store.size(name) != wanted[name]:
                self._store.upload(name, self._copy.place(name), sent.add)
            else:
                sent.add(wanted[name])

        if needs is None:
            in_parallel(send, list(wanted), threads=AT_ONCE)
        if known.packs:
            self._store.replace(note_name(tree.digest), known.encode())
            self._copy.write_note(tree.digest, known)
        self._store.upload(listing, self._copy.place(listing))
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
        in_parallel(self._fetch_one, names, threads=AT_ONCE)
        if any(name.startswith("packs/") for name in names):
            self._copy.look_again()

    def _fetch_one(self, name: str) -> None:
        """Brings an object here under its name, if its bytes are those that the name promises."""
        path = self._copy.place(name)
        try:
            make_folder(os.path.dirname(path))
            aside = aside_path(self._copy.root)
            digest = sha256()
            fd = open_new(aside, 0o444)
            try:

                def take(piece: bytes) -> None:
                    digest.update(piece)
                    write_all(fd, piece)

                found = self._store.download(name, take)
                if not found:
                    hint = (
                        "restore it if the bucket keeps versions; `mlplan plan` says what will be made anew otherwise"
                    )
                    raise Refusal([codes.MLP4201.diagnostic(f"{self._store}/{name} is gone.", hint=hint)])
                if digest.hexdigest() != name.rpartition("artifacts/")[2].rpartition("packs/")[2].replace("/", ""):
                    hint = "restore an earlier version of the object, or remove it: `mlplan plan` then makes it anew"
                    detail = f"{self._store}/{name} is damaged: it holds other bytes."
                    raise Refusal([codes.MLP4202.diagnostic(detail, hint=hint)])
                os.replace(aside, path)
            finally:
                os.close(fd)
                with suppress(FileNotFoundError):
                    os.unlink(aside)
        except OSError as error:
            raise refusal(error, path) from error


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
