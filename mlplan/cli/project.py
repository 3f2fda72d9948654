"""Puts the rooms together for one command: manifest loaded, workspace opened, lock read, targets at hand.

What comes out are plain values; commands take those they need.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from mlplan.address import Address
from mlplan.cli.globals import tell, typed
from mlplan.errors import Refusal
from mlplan.kinds.protocol import OpenTarget, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlplan.cli.globals import Globals
    from mlplan.diagnostics import Diagnostic
    from mlplan.json_types import Json
    from mlplan.manifest.load import Loaded
    from mlplan.manifest.resolved import Manifest
    from mlplan.source import Source
    from mlplan.state.records import State
    from mlplan.targets.protocols import Target
    from mlplan.workspace.open import Workspace

HOME = ".mlplan"
"""The project's local folder: caches, views, jobs, services, keys; and the workspace, unless it is a bucket."""


KEPT = ("log", "checkpoint.json", "artifacts")
"""What a workspace in a folder holds."""


class Records(NamedTuple):
    """What is recorded of a project: all that a command finds which only reads that."""

    project: str  # its name
    workspace: Workspace
    home: str  # absolute


class Project(NamedTuple):
    """A project as a command finds it."""

    manifest: Manifest
    workspace: Workspace
    home: str  # absolute
    warnings: tuple[Diagnostic, ...]
    sources: tuple[Source, ...]  # what diagnostics point into


def load_manifest(options: Globals) -> Loaded:
    """The manifest, or what is wrong with it. Reads the cache of the project where there is one of this machine."""
    from mlplan.manifest.load import load
    from mlplan.workspace.tracked import tracked

    root = os.path.abspath(options.directory)
    folder = os.path.join(root, os.path.dirname(options.file))
    return load(
        os.path.join(root, options.file),
        profile=options.profile,
        variables=dict(options.variables),
        variable_files=options.variable_files,
        environ=os.environ,
        cache=None if tracked(folder, [HOME]) else os.path.join(folder, HOME, "cache"),
    )


def open_project(options: Globals) -> Project:
    """The project. Raises: Refusal with all that is wrong with its manifest, or where its workspace is committed."""
    from mlplan.workspace.open import open_workspace

    loaded = load_manifest(options)
    if loaded.manifest is None:
        raise Refusal(loaded.diagnostics, sources=loaded.sources)
    manifest = loaded.manifest
    committed = committed_workspace(manifest.root, manifest.workspace)
    if committed:
        raise Refusal(committed)
    workspace = open_workspace(manifest.root, manifest.workspace, manifest.project)
    return Project(manifest, workspace, os.path.join(manifest.root, HOME), tuple(loaded.diagnostics), loaded.sources)


def open_records(options: Globals) -> Records:
    """What is recorded, for commands that only read it; one who looks for a mistake may be at work on the manifest.

    Errors in the manifest are counted on stderr. Raises: Refusal with all of them where they leave in doubt whose
    records are meant or where they are; where the workspace is committed.
    """
    loaded = load_manifest(options)
    if loaded.whereabouts is None:
        raise Refusal(loaded.diagnostics, sources=loaded.sources)
    root, project, place = loaded.whereabouts
    committed = committed_workspace(root, place)
    if committed:
        raise Refusal(committed)
    if loaded.manifest is None:
        from mlplan.views.values import counted

        errors = sum(diagnostic.severity == "error" for diagnostic in loaded.diagnostics)
        tell(
            f"note: {options.file} has {counted(errors, 'error')}; `{typed('mlplan validate')}` tells them. "
            "What is shown is what is recorded."
        )
    from mlplan.workspace.open import open_workspace

    return Records(project, open_workspace(root, place, project), os.path.join(root, HOME))


def committed_workspace(root: str, workspace: str) -> list[Diagnostic]:
    """What is wrong with a workspace, or a local folder, that git tracks: whoever wrote the branch wrote it."""
    from mlplan.workspace.tracked import tracked

    places = [HOME]
    if "://" not in workspace and os.path.normpath(workspace) != HOME:
        places += [os.path.normpath(os.path.join(workspace, name)) for name in KEPT]
    found = tracked(root, places)
    if not found:
        return []
    from mlplan.codes import state as codes

    hint = "Take them out of git, and keep them on this machine:\n    git rm -r --cached " + " ".join(found)
    return [codes.MLP4306.diagnostic(f"git tracks files of the workspace: {', '.join(found)}.", hint=hint)]


def reading_of(project: Project, state: State) -> Reading:
    """What the kinds read while planning on this state."""
    from mlplan.lock.lockfile import read

    return Reading(
        manifest=project.manifest,
        lock=read(lock_path(project.manifest)),
        files=project.workspace.files,
        artifacts=project.workspace.artifacts,
        state=state,
        target=target_opener(project, state),
        secret=secret_digester(project.home),
        here=project.workspace.here,
    )


def lock_path(manifest: Manifest) -> str:
    """Where the lock file stands: beside the manifest."""
    return os.path.join(manifest.root, "mlplan.lock")


def target_opener(project: Project, state: State) -> OpenTarget:
    """Opens the target of a compute by its name, once each: the declared compute, or the one that is recorded; where
    another type is asked for, a compute of that type."""

    def spec_of(compute: str) -> Mapping[str, Json] | None:
        declared = project.manifest.resources.get(Address("compute", compute))
        return declared.spec if declared else _recorded_compute(compute, state)

    return _opener(project.home, project.manifest.project, spec_of)


def recorded_targets(records: Records, state: State) -> OpenTarget:
    """Opens the target of a compute as it is recorded, whatever the manifest makes of it by now; once each."""
    return _opener(records.home, records.project, lambda compute: _recorded_compute(compute, state))


def _opener(home: str, project: str, spec_of: Callable[[str], Mapping[str, Json] | None]) -> OpenTarget:
    opened: dict[tuple[str, str], Target] = {}

    def open_target(compute: str, kind: str = "") -> Target:
        spec = spec_of(compute)
        if spec is None or (kind and kind != spec["type"]):
            spec = {"type": kind}
        key = compute, str(spec["type"])
        if key not in opened:
            from mlplan.targets.registry import open_target as open_type

            opened[key] = open_type(str(spec["type"]), home, project, spec)
        return opened[key]

    return open_target


def _recorded_compute(name: str, state: State) -> Mapping[str, Json] | None:
    """None where its record is gone, and a service that could not be replaced goes on where it was."""
    recorded = state.resources.get(Address("compute", name))
    return recorded.outputs if recorded else None


def secret_digester(home: str) -> Callable[[str], str | None]:
    """Digests secrets under a key that stands outside the state; None for one that isn't at hand. Asks for each once.

    A secret that nobody was asked to provide is left at that; a command that fails is told on stderr.
    """
    digests: dict[str, str | None] = {}

    def digest(name: str) -> str | None:
        if name not in digests:
            from mlplan.kinds.secret_key import keyed_digest
            from mlplan.kinds.secret_values import COMMAND, ask

            answer = ask(name)
            if answer.value is None and os.environ.get(COMMAND):
                tell(f"note: no secret {name}: {answer.why}. It counts as it is recorded.")
            digests[name] = None if answer.value is None else keyed_digest(home, name, answer.value)
        return digests[name]

    return digest
