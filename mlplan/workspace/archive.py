"""A workspace in one file: for moving it where no network goes, and for keeping it.

A zip archive with the layout of a folder workspace, and a head that says which history it holds:

    mlplan-workspace.json    {"format": 1, "project": ..., "lineage": ..., "serial": 7, "digest": ...}
    log/..., artifacts/..., packs/...

The same workspace gives the same bytes. It is read as a store is (`store.Source`), by `transfer.copy_workspace`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.json_types import Json, canonical
from mlplan.workspace.folder import PIECE, refusal
from mlplan.workspace.transfer import Copied, OnProgress, content_of, log_names, read_checked, tip_of, trees_gone

if TYPE_CHECKING:
    from zipfile import ZipInfo

    from mlplan.state.checkpoint import Checkpoint
    from mlplan.workspace.store import Source

HEAD = "mlplan-workspace.json"
FORMAT = 1


class Archive:
    """`Source` in an archive. Raises Refusal MLP4008 where it isn't whole, MLP4004 where it is of a newer mlplan."""

    def __init__(self, path: str) -> None:
        from zipfile import BadZipFile, ZipFile

        self._path = path
        try:
            self._zip = ZipFile(path)
            head = json.loads(self._zip.read(HEAD))
        except FileNotFoundError:
            self.refuse("there is no such file")
        except OSError as error:
            raise refusal(error, path) from error
        except (BadZipFile, KeyError, ValueError) as error:
            self.refuse(f"it is no archive of a workspace ({error})")
        if head["format"] > FORMAT:
            detail = f"{path} has format {head['format']}, and this mlplan knows formats up to {FORMAT}."
            raise Refusal([codes.MLP4004.diagnostic(detail, hint="use a newer mlplan")])
        self._sizes = {entry.filename: entry.file_size for entry in self._zip.infolist()}

    def __repr__(self) -> str:
        return self._path

    def get(self, name: str) -> bytes | None:
        pieces: list[bytes] = []
        return b"".join(pieces) if self.download(name, pieces.append) else None

    def get_many(self, names: Sequence[str]) -> Sequence[bytes | None]:
        return [self.get(name) for name in names]

    def list_from(self, folder: str, first: str = "") -> Sequence[str]:
        return sorted(name for name in self.sizes(folder) if name >= first and "/" not in name)

    def sizes(self, folder: str) -> Mapping[str, int]:
        start = f"{folder}/"
        return {name.removeprefix(start): size for name, size in self._sizes.items() if name.startswith(start)}

    def download(self, name: str, write: Callable[[bytes], object]) -> bool:
        from zipfile import BadZipFile
        from zlib import error as ZlibError  # noqa: N812  # it is a class

        if name not in self._sizes:
            return False
        try:
            with self._zip.open(name) as stream:
                while piece := stream.read(PIECE):
                    write(piece)
        except (BadZipFile, ZlibError, EOFError) as error:
            self.refuse(f"{name} in it is damaged ({error})")
        return True

    def refuse(self, why: str) -> NoReturn:
        """Says that it isn't whole."""
        raise Refusal([codes.MLP4008.diagnostic(f"{self._path}: {why}.", hint="copy or export it again")])


def write_archive(
    source: Source, path: str, *, project: str, on_progress: OnProgress = lambda done, total: None
) -> Copied:
    """Writes all of a workspace to one file, which is there whole or not at all.

    Raises: Refusal, as `transfer.copy_workspace` does.
    """
    from zipfile import ZipFile

    tip = tip_of(source, project)
    head: dict[str, Json] = {"format": FORMAT, "project": tip.state.project, "lineage": tip.state.lineage}
    artifacts = content_of(source)
    done, total = 0, sum(artifacts.values())
    aside = f"{path}.part"
    try:
        with ZipFile(aside, "w") as archive:
            with archive.open(_entry(HEAD), "w") as stream:
                stream.write(canonical({**head, "serial": tip.state.serial, "digest": tip.digest}))
            for name in log_names(source)[: tip.state.serial]:
                with archive.open(_entry(name), "w") as stream:
                    stream.write(source.get(name) or b"")
            for name, size in artifacts.items():
                with archive.open(_entry(name), "w", force_zip64=True) as stream:
                    read_checked(source, name, stream.write)
                done += size
                on_progress(done, total)
        _make_durable(aside)
        _prove(Archive(aside), artifacts, tip)
        os.replace(aside, path)
    except OSError as error:
        raise refusal(error, str(error.filename or path)) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(aside)
    gone = trees_gone(source, artifacts, tip.state)
    return Copied(tip.state.serial, tip.digest, len(artifacts), total, len(artifacts), gone)


def _entry(name: str) -> ZipInfo:
    """A file of the archive: of no time, so that the same workspace gives the same bytes."""
    from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED if name.startswith("log/") else ZIP_STORED
    return entry


def _prove(archive: Archive, artifacts: Mapping[str, int], tip: Checkpoint) -> None:
    """Raises: Refusal where an archive isn't what was to be written to it."""
    if tip_of(archive, tip.state.project).digest != tip.digest:
        archive.refuse("its log isn't the one that was written")
    for name in artifacts:
        read_checked(archive, name, lambda piece: None)


def _make_durable(path: str) -> None:
    fd = os.open(path, os.O_RDWR)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
