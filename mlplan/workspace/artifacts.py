"""Artifacts: bytes kept under their sha256, and trees of them, handed out as copies (shared ones: views.py).

    artifacts/<first two digits>/<the others>    kept bytes; listings of trees (trees.py) among them
    packs/                                       the bytes of many small files together (packs.py)
    tmp/                                         where they are written before they get their name

Kept bytes are only ever copied out, so that nothing a script does to a file it was given can reach them. Their size
is looked at whenever somebody asks whether they are whole, their digest whenever they are handed out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import NamedTuple, NoReturn

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.workspace.copying import copy_checked, open_new, write_all
from mlplan.workspace.durable import flush_files, flush_folders
from mlplan.workspace.folder import ASIDE, BEGUN, aside_path, make_folder, read_file, refusal
from mlplan.workspace.packs import BELOW, FROM, Needs, Packs, Place
from mlplan.workspace.parallel import in_parallel
from mlplan.workspace.protocols import FileEntry, OnBytes, OnSent, Tree
from mlplan.workspace.reading import BIG, COLUMNS, Found, look_at, read_through, walk
from mlplan.workspace.trees import decode_listing, encode_listing, subtree_of, tree_of
from mlplan.workspace.views import Views, remove_all


class Garbage(NamedTuple):
    """What nothing refers to."""

    digests: tuple[str, ...]  # of single artifacts and of packs
    size: int  # in bytes


class _Staged(NamedTuple):
    """A file's bytes, written aside."""

    digest: str
    size: int
    aside: str


class FolderArtifacts:
    """`Artifacts` in a folder. Safe to use from several threads."""

    def __init__(self, root: str, views: str, remembered: Callable[[Found], list[str | None]]) -> None:
        self._root = root
        self._views = Views(views)
        self._remembered = remembered  # digests of files that are known not to have changed since they were read
        self._packs = Packs(root)
        self._trees: dict[str, Tree] = {}

    def put_folder(self, folder: str, *, on_bytes: OnBytes | None = None, on_sent: OnSent | None = None) -> Tree:
        return self._put(walk(folder), on_bytes)

    def put_files(
        self, files: Mapping[str, str], *, on_bytes: OnBytes | None = None, on_sent: OnSent | None = None
    ) -> Tree:
        names = sorted(files)
        return self._put(look_at(names, [files[name] for name in names]), on_bytes)

    def tree(self, digest: str) -> Tree:
        if digest not in self._trees:
            listing = self._checked(digest)
            try:
                self._trees[digest] = Tree(digest, decode_listing(listing))
            except ValueError as error:
                self._refuse_damaged(digest, f"it is no listing of files ({error})")
        return self._trees[digest]

    def subtree(self, digest: str, path: str) -> Tree | None:
        found = subtree_of(self.tree(digest), path)
        if found is not None:
            self._keep_listing(found)
        return found

    def check_out(self, digest: str, folder: str, *, read_only: bool = False) -> None:
        entries = self.tree(digest).files
        try:
            os.makedirs(folder, exist_ok=True)
            folders = sorted({os.path.dirname(entry.path) for entry in entries} - {""})
            for below in folders:
                os.makedirs(f"{folder}/{below}", exist_ok=True)

            packed = {entry: place for entry in entries if (place := self._packs.find(entry.sha256)) is not None}
            loose = [entry for entry in entries if entry not in packed]

            def copy(entry: FileEntry) -> None:
                self._copy_out(entry, f"{folder}/{entry.path}", _mode(entry, read_only))

            in_parallel(copy, [entry for entry in loose if entry.size >= BIG])
            for entry in loose:
                if entry.size < BIG:
                    copy(entry)
            self._unpack(packed, folder, read_only=read_only)
            if read_only:
                for below in _with_parents(folders):
                    os.chmod(f"{folder}/{below}", 0o555)
                os.chmod(folder, 0o555)
        except OSError as error:
            raise refusal(error, str(error.filename or folder)) from error

    def view(self, digest: str) -> str:
        return self._views.get(digest, lambda folder: self.check_out(digest, folder, read_only=True))

    def problems(self, digest: str, *, deep: bool = False) -> Sequence[str]:
        if not deep and self._has_what_it_needs(digest):
            return ()
        try:
            entries = self.tree(digest).files
        except Refusal:
            return ("list",)
        return tuple(
            entry.path
            for entry in entries
            if self._size(entry.sha256) != entry.size or (deep and not self._is_whole(entry.sha256))
        )

    def read_bytes(self, digest: str, path: str) -> bytes:
        entry = next((entry for entry in self.tree(digest).files if entry.path == path), None)
        if entry is None:
            raise Refusal([codes.MLP4201.diagnostic(f"The kept tree {digest[:10]} has no file {path}.")])
        return self._checked(entry.sha256)

    def garbage(self, keep: Iterable[str]) -> Garbage:
        """What none of these trees refers to. A pack stays as long as one of its files is wanted; a tree that can't
        be read keeps nothing but itself."""
        wanted = set()
        for digest in keep:
            wanted.add(digest)
            try:
                wanted.update(entry.sha256 for entry in self.tree(digest).files)
            except Refusal:
                continue
        found = {digest: size for digest, size in self._kept() if digest not in wanted}
        found.update({name: size for name, size, inside in self._packs.files() if inside.isdisjoint(wanted)})
        return Garbage(tuple(sorted(found)), sum(found.values()))

    def remove(self, garbage: Garbage) -> None:
        """Removes what `garbage` found, views of it and what crashed writers left behind.

        Only for the holder of the lease: nothing may be kept meanwhile."""
        try:
            for digest in garbage.digests:
                self._trees.pop(digest, None)
                _remove_file(self._path(digest))
                self._packs.remove(digest)
                self._views.remove(digest)
            self._views.sweep()
            aside = f"{self._root}/{ASIDE}"
            for name in os.listdir(aside) if os.path.isdir(aside) else ():
                if not name.startswith(f"{os.getpid()}-"):
                    remove_all(f"{aside}/{name}")
        except OSError as error:
            raise refusal(error, str(error.filename or self._root)) from error

    @property
    def root(self) -> str:
        """The folder that all is kept in."""
        return self._root

    def place(self, name: str) -> str:
        """The path of a kept file by its name, such as `packs/<digest>`."""
        return f"{self._root}/{name}"

    def size_of(self, name: str) -> int | None:
        """The size of a kept file by its name, or None where there is none."""
        with suppress(FileNotFoundError, NotADirectoryError):
            return os.stat(f"{self._root}/{name}").st_size
        return None

    def has_view(self, digest: str) -> bool:
        """Whether `view` has nothing to copy."""
        return self._views.has(digest)

    def noted(self, digest: str) -> Needs | None:
        """What a tree is noted to need."""
        return self._packs.needs(digest)

    def needs(self, digest: str) -> Needs:
        """What a tree needs, noted or found out."""
        return self._packs.needs(digest) or self._packs.find_needs(self.tree(digest).files)

    def write_note(self, digest: str, needs: Needs) -> None:
        """Notes what a tree needs."""
        try:
            self._packs.note(digest, needs)
        except OSError as error:
            raise refusal(error, f"{self._root}/packs") from error

    def look_again(self) -> None:
        """Takes in packs that others put here."""
        self._packs.look_again()

    def trim(self, limit: int, *, keep: Iterable[str]) -> None:
        """Removes what was longest unused beyond `limit` bytes, but for the names in `keep`, which are used now.

        For a copy of what is kept elsewhere."""
        kept = set(keep)
        for name in kept:
            with suppress(OSError):
                _mark_used(f"{self._root}/{name}")
        found: list[tuple[float, int, str]] = []
        for folder in ("artifacts", "packs", BEGUN):
            for above, _, names in os.walk(f"{self._root}/{folder}"):
                for name in names:
                    with suppress(FileNotFoundError):  # another command was through with it
                        stat = os.stat(f"{above}/{name}")
                        found.append((stat.st_atime, stat.st_size, f"{above}/{name}"))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= limit:
                break
            if path.removeprefix(f"{self._root}/") not in kept:
                _remove_file(path)
                total -= size
        self._packs.look_again()

    def _note(self, tree: Tree) -> None:
        if os.path.isdir(f"{self._root}/packs") and self._packs.needs(tree.digest) is None:
            needs = self._packs.find_needs(tree.files)
            if needs.packs:
                self._packs.note(tree.digest, needs)

    def _put(self, found: Found, on_bytes: OnBytes | None) -> Tree:
        """Keeps files: those not known to be kept are written aside and digested, then flushed, then named. Where
        many of them are small, those go into a pack."""
        sizes = found.stats[0::COLUMNS]
        digests = self._remembered(found)
        unread = [i for i, digest in enumerate(digests) if digest is None or self._size(digest) != sizes[i]]
        staged: list[_Staged] = []

        def stage(i: int) -> None:
            one = self._stage(found.paths[i], on_bytes)
            staged.append(one)
            digests[i], sizes[i] = one.digest, one.size

        small = [i for i in unread if sizes[i] < BELOW]
        try:
            if len(small) >= FROM:
                packed = self._packs.write((found.paths[i] for i in small), lambda path: _read_whole(path, on_bytes))
                for i, (digest, size) in zip(small, packed, strict=True):
                    digests[i], sizes[i] = digest, size
                unread = [i for i in unread if sizes[i] >= BELOW or digests[i] is None]
            in_parallel(stage, sorted((i for i in unread if sizes[i] >= BIG), key=lambda i: -sizes[i]))
            for i in unread:
                if sizes[i] < BIG:
                    stage(i)
            self._name_staged(staged)
        except OSError as error:
            raise refusal(error, str(error.filename or self._root)) from error
        finally:
            for one in staged:
                _remove_file(one.aside)
        tree = tree_of(
            FileEntry(name, digest or "", size, name in found.executables)
            for name, digest, size in zip(found.names, digests, sizes, strict=True)
        )
        self._keep_listing(tree)
        return tree

    def _stage(self, path: str, on_bytes: OnBytes | None) -> _Staged:
        aside = aside_path(self._root)
        fd = open_new(aside, 0o444)
        try:
            digest, size = read_through(path, lambda piece: write_all(fd, piece), on_bytes)
        except BaseException:
            _remove_file(aside)
            raise
        finally:
            os.close(fd)
        if self._size(digest) == size:  # kept already; a damaged one of another size is put right
            _remove_file(aside)
            aside = ""
        return _Staged(digest, size, aside)

    def _name_staged(self, staged: Iterable[_Staged]) -> None:
        fresh = {one.digest: one.aside for one in staged if one.aside}
        if not fresh:
            return
        flush_files(list(fresh.values()))
        folders = {digest[:2] for digest in fresh}
        for folder in folders:
            make_folder(f"{self._root}/artifacts/{folder}")
        for digest, aside in fresh.items():
            os.replace(aside, self._path(digest))
        flush_folders([f"{self._root}/artifacts/{folder}" for folder in sorted(folders)])

    def _keep_listing(self, tree: Tree) -> None:
        listing = encode_listing(tree.files)
        try:
            if self._size(tree.digest) != len(listing):
                aside = aside_path(self._root)
                fd = open_new(aside, 0o444)
                try:
                    write_all(fd, listing)
                    self._name_staged([_Staged(tree.digest, len(listing), aside)])
                finally:
                    os.close(fd)
                    _remove_file(aside)
            self._note(tree)
        except OSError as error:
            raise refusal(error, str(error.filename or self._root)) from error
        self._trees[tree.digest] = tree

    def _copy_out(self, entry: FileEntry, target: str, mode: int) -> None:
        self._require(entry.sha256)
        _remove_file(target)
        if copy_checked(self._path(entry.sha256), target, mode) != entry.sha256:
            _remove_file(target)
            self._refuse_damaged(entry.sha256, f"it holds other bytes, and is {entry.path} of a kept tree")

    def _unpack(self, packed: Mapping[FileEntry, Place], folder: str, *, read_only: bool) -> None:
        """Writes files that are in packs, pack by pack."""
        for entry, data in self._packs.read(packed):
            if sha256(data).hexdigest() != entry.sha256:
                self._refuse_damaged(entry.sha256, f"it holds other bytes, and is {entry.path} of a kept tree")
            target = f"{folder}/{entry.path}"
            try:
                fd = open_new(target, _mode(entry, read_only))
            except FileExistsError:
                _remove_file(target)
                fd = open_new(target, _mode(entry, read_only))
            try:
                write_all(fd, data)
            finally:
                os.close(fd)

    def _checked(self, digest: str) -> bytes:
        """Kept bytes. Raises: Refusal MLP4201, MLP4202."""
        self._require(digest)
        try:
            place = self._packs.find(digest) if self._loose_size(digest) is None else None
            data = read_file(self._path(digest)) if place is None else _read_place(place)
        except OSError as error:
            raise refusal(error, self._where(digest)) from error
        if sha256(data).hexdigest() != digest:
            self._refuse_damaged(digest, "it holds other bytes")
        return data

    def _is_whole(self, digest: str) -> bool:
        if self._loose_size(digest) is not None:
            return read_through(self._path(digest), None)[0] == digest
        place = self._packs.find(digest)
        return place is not None and sha256(_read_place(place)).hexdigest() == digest

    def _has_what_it_needs(self, tree: str) -> bool:
        """Whether the packs and files are there that a tree is noted to need; False where nothing is noted."""
        needs = self._packs.needs(tree)
        return (
            needs is not None
            and self._loose_size(tree) is not None
            and all(self._packs.size(name) == size for name, size in needs.packs.items())
            and all(self._loose_size(digest) == size for digest, size in needs.loose.items())
        )

    def _require(self, digest: str) -> None:
        if self._size(digest) is None:
            hint = "put artifacts/ back from a backup; `mlplan plan` says what will be made anew otherwise"
            raise Refusal([codes.MLP4201.diagnostic(f"{self._path(digest)} is gone.", hint=hint)])

    def _refuse_damaged(self, digest: str, how: str) -> NoReturn:
        hint = "restore the file from a backup, or remove it: `mlplan plan` then says what will be made anew"
        raise Refusal([codes.MLP4202.diagnostic(f"{self._where(digest)} is damaged: {how}.", hint=hint)])

    def _size(self, digest: str) -> int | None:
        """The size of kept bytes, or None where they are gone."""
        place = self._packs.find(digest)
        if place is not None and os.path.exists(place.path):
            return place.size
        return self._loose_size(digest)

    def _loose_size(self, digest: str) -> int | None:
        try:
            return os.stat(self._path(digest)).st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise refusal(error, self._path(digest)) from error

    def _where(self, digest: str) -> str:
        place = self._packs.find(digest) if self._loose_size(digest) is None else None
        return self._path(digest) if place is None else place.path

    def _kept(self) -> Iterator[tuple[str, int]]:
        folder = f"{self._root}/artifacts"
        for first in os.listdir(folder) if os.path.isdir(folder) else ():
            with os.scandir(f"{folder}/{first}") as entries:
                for entry in entries:
                    yield first + entry.name, entry.stat().st_size

    def _path(self, digest: str) -> str:
        return f"{self._root}/artifacts/{digest[:2]}/{digest[2:]}"


def _read_whole(path: str, on_bytes: OnBytes | None) -> bytes:
    """A small file's bytes, as of one moment."""
    pieces: list[bytes] = []
    read_through(path, lambda piece: pieces.append(bytes(piece)), on_bytes)
    return b"".join(pieces)


def _read_place(place: Place) -> bytes:
    with open(place.path, "rb") as stream:
        stream.seek(place.offset)
        return stream.read(place.size)


def _mode(entry: FileEntry, read_only: bool) -> int:
    if read_only:
        return 0o555 if entry.executable else 0o444
    return 0o755 if entry.executable else 0o644


def _with_parents(folders: Iterable[str]) -> list[str]:
    """The folders and all above them, the deepest first."""
    found = {parent for folder in folders for parent in _parents(folder)}
    return sorted(found, reverse=True)


def _parents(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = os.path.dirname(folder)


def _mark_used(path: str) -> None:
    """Sets when a file was last used, and leaves when it was written: who reads it meanwhile looks at that."""
    os.utime(path, ns=(time.time_ns(), os.stat(path).st_mtime_ns))


def _remove_file(path: str) -> None:
    if path:
        with suppress(FileNotFoundError):
            os.unlink(path)
