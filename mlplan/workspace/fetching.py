"""Brings kept files from a bucket to this machine's copy: under their name once their bytes are what it promises.

What was fetched of a large one stays aside when a command is cut off, and the next one goes on from there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.workspace.copying import write_all
from mlplan.workspace.folder import BEGUN, PIECE, make_folder, refusal

if TYPE_CHECKING:
    from io import FileIO

    from mlplan.workspace.bucket import BucketStore
    from mlplan.workspace.sealed import SealedStore


def fetch(store: BucketStore | SealedStore, name: str, root: str) -> None:
    """Brings a file to the same name below `root`.

    Raises: Refusal MLP4201 where it is gone, MLP4202 where it is damaged."""
    path, promised = f"{root}/{name}", digest_in(name)
    try:
        make_folder(os.path.dirname(path))
        make_folder(f"{root}/{BEGUN}")
        with _begun(f"{root}/{BEGUN}/{promised}") as stream:
            goes_on = bool(_size(stream))
            digest = _fill(stream, store, name)
            if digest != promised and goes_on:  # what a power cut left of it may be anything
                stream.truncate(0)
                digest = _fill(stream, store, name)
            if digest != promised:
                stream.truncate(0)
                hint = "restore an earlier version of the object, or remove it: `mlplan plan` then makes it anew"
                detail = f"{store}/{name} is damaged: it holds other bytes."
                raise Refusal([codes.MLP4202.diagnostic(detail, hint=hint)])
            os.chmod(stream.name, 0o444)
            os.replace(stream.name, path)
    except OSError as error:
        raise refusal(error, path) from error


def digest_in(name: str) -> str:
    """The digest in the name of a kept file, of a part of it, or of a tree's note."""
    return name.partition("/")[2].replace("/", "")[:64]


def _fill(stream: FileIO, store: BucketStore | SealedStore, name: str) -> str:
    """Adds to a file what it doesn't have yet, and returns the digest of all of it."""
    digest = sha256()
    stream.seek(0)
    while piece := stream.read(PIECE):
        digest.update(piece)

    def take(piece: bytes) -> None:
        digest.update(piece)
        write_all(stream.fileno(), piece)

    if not store.download(name, take, _size(stream)):
        hint = "restore it if the bucket keeps versions; `mlplan plan` says what will be made anew otherwise"
        raise Refusal([codes.MLP4201.diagnostic(f"{store}/{name} is gone.", hint=hint)])
    return digest.hexdigest()


@contextmanager
def _begun(path: str) -> Iterator[FileIO]:
    """The file that an earlier command began, or a new one; one of its own where another command writes that."""
    stream = open(path, "a+b", buffering=0)  # noqa: SIM115  # closed below
    if not _is_ours(stream):
        stream.close()
        stream = open(f"{path}-{os.urandom(8).hex()}", "a+b", buffering=0)  # noqa: SIM115  # likewise
    try:
        yield stream
    finally:
        if _is_at(stream, stream.name) and (stream.name != path or not _size(stream)):
            os.unlink(stream.name)
        stream.close()


def _is_ours(stream: FileIO) -> bool:
    """Whether nobody else writes this file, nor has made it whole since it was opened."""
    import fcntl

    with suppress(BlockingIOError):
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _is_at(stream, stream.name)
    return False


def _is_at(stream: FileIO, path: str) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.stat(path), os.fstat(stream.fileno()))
    return False


def _size(stream: FileIO) -> int:
    return os.fstat(stream.fileno()).st_size
