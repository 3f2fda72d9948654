"""Opens a project's workspace. Reading makes nothing: a plan on a fresh clone leaves only the cache behind.

.mlplan/                  this machine's own folder, never committed
  .gitignore              "*"
  cache/                  can be removed at any time
  views/                  read-only copies of kept trees (artifacts.py)
  runs/, services/, keys/ the targets' and the services' own
  log/, checkpoint.json, lease/, artifacts/, tmp/    the workspace, unless the manifest names another place
"""

from __future__ import annotations

import os
from typing import NamedTuple

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.workspace.artifacts import FolderArtifacts
from mlplan.workspace.files import FileIndex
from mlplan.workspace.folder import FolderStore, make_folder, make_private_folder
from mlplan.workspace.lease import WorkspaceLease
from mlplan.workspace.log import Author, WorkspaceLog
from mlplan.workspace.process import who
from mlplan.workspace.revision import git_revision
from mlplan.workspace.witness import Witness

LOCAL = ".mlplan"
"""The local folder, beside the manifest."""


class Workspace(NamedTuple):
    """A project's workspace, opened."""

    place: str  # as the manifest has it: ".mlplan", "s3://bucket/prefix"
    local: str  # absolute path of this machine's own folder
    log: WorkspaceLog
    lease: WorkspaceLease
    artifacts: FolderArtifacts
    files: FileIndex

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
    if "://" in place:
        detail = f"{place} is no kind of workspace that this version of mlplan knows."
        raise Refusal([codes.MLP4305.diagnostic(detail, hint="write a path, such as `.mlplan`")])
    local = os.path.join(root, LOCAL)
    folder = os.path.normpath(os.path.join(root, place))

    def write_cache(path: str, data: bytes) -> None:
        make_private_folder(local)
        FolderStore(local).replace(os.path.relpath(path, local), data)

    store = FolderStore(folder)
    author = Author(who(), lambda: git_revision(root))
    witness = Witness(f"{local}/cache/seen.json", place, write_cache)
    log = WorkspaceLog(store, author=author, project=project, witness=witness)
    files = FileIndex(root, f"{local}/cache/files", write_cache)
    return Workspace(
        place,
        local,
        log,
        WorkspaceLease(store, log, project=project),
        FolderArtifacts(folder, f"{local}/views", files.remembered),
        files,
    )
