"""Opens a project's workspace. Reading makes nothing: a plan on a fresh clone leaves only the cache behind.

.mlplan/                  this machine's own folder, never committed
  .gitignore              "*"
  cache/                  can be removed at any time
  views/                  read-only copies of kept trees (artifacts.py)
  runs/, services/, keys/ the targets' and the services' own
  checkout.json           what this checkout is known by (here.py)
  log/, checkpoint.json, lease/, artifacts/, tmp/    the workspace, unless the manifest names another place
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.workspace.artifacts import FolderArtifacts
from mlplan.workspace.files import FileIndex
from mlplan.workspace.folder import FolderStore, make_folder, make_private_folder
from mlplan.workspace.here import name_checkout, this_checkout
from mlplan.workspace.lease import Pace, WorkspaceLease
from mlplan.workspace.log import Author, WorkspaceLog
from mlplan.workspace.process import who
from mlplan.workspace.revision import git_revision
from mlplan.workspace.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.json_types import Json
    from mlplan.workspace.bucket import BucketStore
    from mlplan.workspace.sealed import SealedStore
    from mlplan.workspace.shared_artifacts import SharedArtifacts
    from mlplan.workspace.store import ContentStore

LOCAL = ".mlplan"
"""The local folder, beside the manifest."""


class Workspace(NamedTuple):
    """A project's workspace, opened."""

    place: str  # as the manifest has it: ".mlplan", "s3://bucket/prefix"
    local: str  # absolute path of this machine's own folder
    store: ContentStore
    log: WorkspaceLog
    lease: WorkspaceLease
    artifacts: FolderArtifacts | SharedArtifacts
    files: FileIndex

    @property
    def here(self) -> Mapping[str, Json]:
        """This checkout, as far as it has a name."""
        return this_checkout(self.local)._asdict()

    def named(self) -> Mapping[str, Json]:
        """This checkout, as the log is to tell it. Raises: Refusal where it has no name yet and can't get one."""
        make_private_folder(self.local)
        return name_checkout(self.local, FolderStore(self.local).create)._asdict()

    def folder(self, name: str) -> str:
        """The absolute path of a folder of this machine's own (`runs`, `services`, `keys`), made where absent."""
        path = f"{self.local}/{name}"
        make_private_folder(self.local)
        make_folder(path)
        return path


def open_workspace(root: str, place: str, project: str) -> Workspace:
    """The workspace at `place` of the project whose manifest stands in `root`.

    Raises: Refusal MLP4305 for a place of an unknown kind.
    """
    local = os.path.join(root, LOCAL)
    write_cache = _cache_writer(local)
    files = FileIndex(root, f"{local}/cache/files", write_cache)
    store = open_store(root, place)
    artifacts, pace = _open_artifacts(store, root, place, local, files)
    author = Author(who(), lambda: git_revision(root))
    witness = Witness(f"{local}/cache/seen.json", place, write_cache)
    asks_first = place.startswith("az://")  # Azure lists from the beginning, 5,000 names a request
    log = WorkspaceLog(store, author=author, project=project, witness=witness, asks_first=asks_first)
    lease = WorkspaceLease(store, log, project=project, pace=pace)
    return Workspace(place, local, store, log, lease, artifacts, files)


def open_store(root: str, place: str) -> FolderStore | BucketStore | SealedStore:
    """The store at a place, as the manifest in `root` names it: a folder or a bucket. Asks nobody yet.

    Raises: Refusal MLP4305 for a place of an unknown kind, and for one with credentials in it; MLP4411 where what the
    environment says of a bucket is no use.
    """
    scheme, separator, rest = place.partition("://")
    if not separator:
        return FolderStore(_folder_of(root, place))
    if scheme not in SCHEMES:
        detail = f"{place} is no kind of workspace that this version of mlplan knows."
        hint = "write a path, such as `.mlplan`, or a bucket: s3://bucket/prefix, az://container/prefix, gs://bucket"
        raise Refusal([codes.MLP4305.diagnostic(detail, hint=hint)])
    if any(mark in place for mark in "@?#"):
        detail = f"A workspace in {scheme}:// is a bucket and a prefix; what is written there holds more than that."
        hint = "leave keys, tokens and queries out of the manifest: docs/workspaces.md says where they are looked for"
        raise Refusal([codes.MLP4305.diagnostic(detail, hint=hint)])
    if any(part in ("", ".", "..") for part in rest.rstrip("/").split("/")):
        detail = (
            f"{place} is no place in a bucket: it needs a bucket's name, then names with a single / between them."
        )
        raise Refusal([codes.MLP4305.diagnostic(detail, hint=f"write {scheme}://bucket/prefix")])
    from mlplan.workspace.bucket import open_bucket
    from mlplan.workspace.keys import user_key

    bucket, key = open_bucket(place), user_key(os.environ)
    if key is None:
        return bucket
    from mlplan.workspace.sealed import SealedStore

    return SealedStore(bucket, key)


def _cache_writer(local: str) -> Callable[[str, bytes], None]:
    """Writes a file below the local folder, which is made where it is absent."""

    def write(path: str, data: bytes) -> None:
        make_private_folder(local)
        FolderStore(local).replace(os.path.relpath(path, local), data)

    return write


def _open_artifacts(
    store: FolderStore | BucketStore | SealedStore, root: str, place: str, local: str, files: FileIndex
) -> tuple[FolderArtifacts | SharedArtifacts, Pace]:
    if isinstance(store, FolderStore):
        return FolderArtifacts(_folder_of(root, place), f"{local}/views", files.remembered), Pace()
    from mlplan.workspace.shared_artifacts import SharedArtifacts

    copy = FolderArtifacts(f"{local}/cache/artifacts", f"{local}/views", files.remembered)
    return SharedArtifacts(store, copy), BUCKET_PACE


def _folder_of(root: str, place: str) -> str:
    return os.path.normpath(os.path.join(root, place))


SCHEMES = ("s3", "az", "gs")
BUCKET_PACE = Pace(beat_s=10.0, expiry_s=90.0, poll_s=2.0, checkpoint_from=1)
"""Slower than in a folder, since each look is a request; and a checkpoint whenever the lease is given back, so that
the next plan needs three requests."""
