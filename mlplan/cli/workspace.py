"""`mlplan workspace ...`: where the state is kept, and taking it elsewhere."""

from __future__ import annotations

import os
import shlex
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlplan.cli.apply import leased
from mlplan.cli.asking import confirm
from mlplan.cli.globals import Globals, say, tell
from mlplan.cli.project import Project, open_project, open_records
from mlplan.cli.writing import place_for, writing
from mlplan.errors import ExitCode, Refusal
from mlplan.state.entries import Moved
from mlplan.views.values import counted, size_text
from mlplan.workspace.log import moved
from mlplan.workspace.open import open_store
from mlplan.workspace.transfer import content_of, copy_workspace

if TYPE_CHECKING:
    from mlplan.workspace.store import ContentStore
    from mlplan.workspace.transfer import Copied, OnProgress

MIGRATE = "mlplan workspace migrate"


def show(options: Globals, form: str) -> ExitCode:
    """Where the workspace is, how far its log goes, who holds it, what it keeps."""
    from mlplan.views.workspace import overview
    from mlplan.workspace.sealed import SealedStore

    workspace = open_records(options).workspace
    state = workspace.log.read()
    kept = content_of(workspace.store)
    encrypted = isinstance(workspace.store, SealedStore)
    say(overview(workspace.place, state, workspace.lease.holder(), kept, encrypted=encrypted, form=form))
    return ExitCode.OK


def migrate(options: Globals, place: str, yes: bool) -> ExitCode:
    """Copies everything to another place, reads it back there, and marks the old one as moved."""
    project = open_project(options)
    workspace = project.workspace
    state = workspace.log.read()
    if state.moved == place:
        tell(f"It was moved to {place} already.\n{_what_now(place)}")
        return ExitCode.OK
    if state.moved:
        raise moved(state)
    target = open_store(project.manifest.root, place)
    if repr(target) == repr(workspace.store):
        tell(f"The workspace is in {place} already.")
        return ExitCode.OK
    tell(f"Copies {workspace.place} to {place}, checks it there, and marks {workspace.place} as moved.")
    tell("What is recorded here stays readable; to go on with it will be refused.")
    if not yes:
        confirm("Move the workspace?", f"{MIGRATE} {shlex.quote(place)}")
    with told_how_to_go_on(), leased(project, MIGRATE, 0.0, threading.Event()) as state:
        assert state.lease is not None
        copied = _copy(project, target, up_to=state.lease.serial - 1)
        workspace.lease.ensure()
        workspace.log.append(state, [Moved(place)], command=MIGRATE)
    _tell_copied(copied, place)
    tell(_what_now(place))
    return ExitCode.OK


def export(options: Globals, file: str) -> ExitCode:
    """Writes everything to one archive."""
    from mlplan.workspace.archive import write_archive
    from mlplan.workspace.sealed import SealedStore

    project = open_project(options)
    if not project.workspace.log.read().serial:  # a wrong place in the manifest would pass for a backup
        raise _nothing(project.workspace.place, "check which place the manifest names; there is nothing to keep")
    with writing(file):  # before anything is read: whether there is a folder for it
        place = place_for(file)
        os.stat(os.path.dirname(place))
    copied = write_archive(
        project.workspace.store,
        place,
        project=project.manifest.project,
        on_progress=progress("written"),
    )
    _tell_copied(copied, file)
    if isinstance(project.workspace.store, SealedStore):
        tell(f"{file} isn't encrypted: keep it where nobody else reads it.")
    return ExitCode.OK


def import_(options: Globals, file: str) -> ExitCode:
    """Reads an archive into the workspace, which has to be empty, or what an earlier import began."""
    from mlplan.workspace.archive import Archive

    project = open_project(options)
    with told_how_to_go_on():
        copied = copy_workspace(
            Archive(file),
            project.workspace.store,
            project.workspace.folder("cache"),
            project=project.manifest.project,
            on_progress=progress("copied and read back"),
        )
    _tell_copied(copied, project.workspace.place)
    return ExitCode.OK


def rotate_key(options: Globals) -> ExitCode:
    """Wraps the workspace's key by the user's new one."""
    from mlplan.codes import state as codes
    from mlplan.workspace.keys import KEY, NEW_KEY, user_key
    from mlplan.workspace.sealed import SealedStore

    project = open_project(options)
    store, new = project.workspace.store, user_key(os.environ, NEW_KEY)
    if new is None or not isinstance(store, SealedStore):
        missing = KEY if new is not None else NEW_KEY
        detail = f"{missing} isn't set, or {project.workspace.place} is no bucket."
        hint = f"provide the key in force in {KEY}, and the one that is to follow it in {NEW_KEY}"
        raise Refusal([codes.MLP4409.diagnostic(detail, hint=hint)])
    with leased(project, "mlplan workspace rotate-key", 0.0, threading.Event()):
        store.rotate(new)
    tell(f"The workspace opens by the new key alone. From now on provide that one in {KEY}.")
    return ExitCode.OK


@contextmanager
def told_how_to_go_on() -> Iterator[None]:
    """After Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        tell("\nInterrupted. What was copied is kept; the same command goes on with it.")
        raise


def progress(what: str) -> OnProgress:
    """Tells on stderr how far it has come, on a terminal in one line, elsewhere a line now and then."""
    on_terminal = sys.stderr.isatty()
    every_s = 0.2 if on_terminal else 10.0
    begun = told = time.monotonic()

    def show_progress(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if done < total and now - told < every_s:
            return
        told = now
        line = f"{size_text(done)} of {size_text(total)} {what}, {now - begun:.0f} s"
        if on_terminal:
            sys.stderr.write(f"\r\x1b[K{line}" + ("\n" if done == total else ""))
            sys.stderr.flush()
        else:
            tell(line)

    return show_progress


def _copy(project: Project, target: ContentStore, *, up_to: int) -> Copied:
    workspace = project.workspace
    if not up_to:
        raise _nothing(workspace.place, "name the new place in the manifest; there is nothing to move")
    return copy_workspace(
        workspace.store,
        target,
        workspace.folder("cache"),
        project=project.manifest.project,
        up_to=up_to,
        on_progress=progress("copied and read back"),
    )


def _nothing(place: str, hint: str) -> Refusal:
    from mlplan.codes import state as codes

    return Refusal([codes.MLP4009.diagnostic(f"Nothing was recorded in {place} yet.", hint=hint)])


def _tell_copied(copied: Copied, place: str) -> None:
    held = f"{counted(copied.serial, 'commit')}, the last one {copied.digest[:12]}"
    kept = f"{counted(copied.artifacts, 'artifact')}, {size_text(copied.size)}"
    tell(f"{place} holds {held}, and {kept}; {copied.sent} of them new there.")
    tell("All of it was read back and is what its digests say.")
    if copied.gone:
        trees = counted(copied.gone, "kept folder")
        tell(
            f"note: the log speaks of {trees} that weren't there in full before. Where one is needed, a plan says so."
        )


def _what_now(place: str) -> str:
    return f"Now name it in the manifest, and commit that:\n    workspace: {place}"
