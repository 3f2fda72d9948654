"""A project as one commit of git holds it: its manifest, its lock, and which of the commit's files a plan looks at.

Only what the repository holds is ever read. What the manifest names beyond that (data that git doesn't keep, paths
outside of the repository) is known by its name alone, and a plan says so.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mlplan.codes import meaning as codes
from mlplan.diagnostics import Diagnostic, has_errors
from mlplan.errors import Refusal
from mlplan.lock.lockfile import NAME as LOCK
from mlplan.manifest.contents import NOTHING, look_into
from mlplan.manifest.files import any_match, check_files, is_glob, is_written_outside, needs
from mlplan.manifest.load import File, Inputs, load_bytes, place_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlplan.address import Address
    from mlplan.manifest.load import Loaded
    from mlplan.manifest.resolved import Manifest, Resource
    from mlplan.source import Source
    from mlplan.workspace.git import Entry
    from mlplan.workspace.revision_tree import RevisionTree

OUTSIDE = "nothing"
"""An empty folder beside the checkout, in the place of code that stands outside of the repository."""


class Asked(NamedTuple):
    """Which manifest, and what it is resolved with."""

    file: str  # its name
    environ: Mapping[str, str]
    profile: str
    variables: Mapping[str, str]
    variable_files: Sequence[str]  # absolute paths


class Revision(NamedTuple):
    """A project at one commit."""

    tree: RevisionTree
    loaded: Loaded  # the manifest as it is written
    read: tuple[File, ...]  # what it was loaded from
    manifest: Manifest  # what git doesn't hold taken out; its root is where its checkout stands
    unkept: Mapping[Address, Mapping[str, str]]  # data that git doesn't hold -> the submodule that it is in, or ""
    needed: Mapping[str, Entry]  # what its resources are made of


def read_revision(
    tree: RevisionTree, asked: Asked, root: str, *, lenient: bool, like: Revision | None = None
) -> Revision | None:
    """The project whose manifest stands in the folder that the tree is looked at from; None where it has none there.

    `root` is where the checkout of the repository will stand, OUTSIDE beside it. `lenient` is for the revision that
    is compared with: variables and the profile that it doesn't know yet don't count against it, nor do files that it
    lacks. What was read for the revision `like` already, and is the same here, isn't read again.

    Raises: Refusal with all that is wrong with it.
    """
    data = tree.read(asked.file)
    if data is None:
        return None
    folder = os.path.normpath(os.path.join(root, tree.repository.prefix))
    read = (File(asked.file, data), *(_variable_file(tree, path) for path in asked.variable_files))
    same = like is not None and like.read == read and like.manifest.root == folder
    loaded = like.loaded if like and same else _load(read, asked, folder, lenient=lenient)
    if loaded is None:
        return None
    if loaded.manifest is None:
        raise Refusal(loaded.diagnostics, sources=loaded.sources)
    found = _survey(tree, loaded.manifest, os.path.join(os.path.dirname(root), OUTSIDE), lenient=lenient)
    if has_errors(found.problems):
        raise Refusal(found.problems, sources=[*loaded.sources, *found.sources])
    manifest = loaded.manifest._replace(resources=found.resources, requests=found.requests)
    return Revision(tree, loaded, read, manifest, found.unkept, tree.needed(found.paths))


def _load(read: tuple[File, ...], asked: Asked, folder: str, *, lenient: bool) -> Loaded | None:
    """The manifest; None for a profile that a lenient reading doesn't find."""
    file, *files = read
    inputs = Inputs(asked.environ, asked.profile, asked.variables, files)
    loaded = load_bytes(file.data, file=file.name, root=folder, inputs=inputs, disk=None)
    if loaded.manifest is None and lenient:
        found = {diagnostic.code for diagnostic in loaded.diagnostics}
        if codes.MLP3207.code in found:
            return None
        if codes.MLP3205.code in found:
            inputs = _declared_alone(file, inputs)
            loaded = load_bytes(file.data, file=file.name, root=folder, inputs=inputs, disk=None)
    return loaded


def _variable_file(tree: RevisionTree, path: str) -> File:
    """A file of variables: as the commit has it; one that git doesn't keep, as it is here."""
    below = os.path.relpath(os.path.realpath(path), os.path.join(tree.repository.top, tree.repository.prefix))
    data = tree.read(below.replace(os.sep, "/"))
    if data is None:
        try:
            with open(path, "rb") as stream:
                data = stream.read()
        except OSError as error:
            from mlplan.codes import read

            detail = f"The variable file `{path}` can't be read: {(error.strerror or str(error)).lower()}."
            hint = "Check the path. It is relative to the folder in which mlplan runs."
            raise Refusal([read.MLP1015.diagnostic(detail, hint=hint)]) from error
    return File(os.path.basename(path), data)


def _declared_alone(file: File, inputs: Inputs) -> Inputs:
    """The inputs without the variables that the manifest doesn't declare."""
    import json

    from mlplan.manifest.nodes import value_of
    from mlplan.manifest.parse import parse
    from mlplan.manifest.variables import read_file

    document = parse(file.data, file.name).document
    section = document.root.entries.get("variables") if document else None
    declared = value_of(section.value) if section else None
    known = declared if isinstance(declared, dict) else {}
    files = [
        File(given.name, json.dumps({n: o.value for n, o in read_file(*given).offers.items() if n in known}).encode())
        for given in inputs.variable_files
    ]
    variables = {name: value for name, value in inputs.variables.items() if name in known}
    return inputs._replace(variables=variables, variable_files=files)


class _Survey(NamedTuple):
    resources: Mapping[Address, Resource]
    unkept: Mapping[Address, Mapping[str, str]]
    paths: list[str]  # of files and folders that the kinds look at
    problems: list[Diagnostic]
    requests: Mapping[str, int]  # of golden ones, by their file
    sources: list[Source]  # the files that problems point into, beside the manifest


def _survey(tree: RevisionTree, manifest: Manifest, outside: str, *, lenient: bool) -> _Survey:
    """What of the manifest git holds, and what is wrong with the rest."""
    resources: dict[Address, Resource] = {}
    unkept: dict[Address, dict[str, str]] = {}
    paths: list[str] = [LOCK]
    problems: list[Diagnostic] = []
    place_of = place_in(manifest.places)
    for address, resource in manifest.resources.items():
        if address.kind in ("dataset", "model"):
            confined, missing = _with_kept_data(resource, tree)
            if missing:
                unkept[address] = missing
        else:
            confined = _confined(resource, tree, outside)
            if not lenient and confined is resource:
                problems += check_files(address, confined.spec, tree, place_of)
        resources[address] = confined
        paths += [_fixed(need.path) for need in needs(address.kind, resource.spec) if "://" not in need.path]
    files, found = _environment_files(resources, tree)
    looked = NOTHING if lenient else look_into({a: r.spec for a, r in resources.items()}, _Kept(tree), place_of, None)
    problems += [*found, *looked.problems]
    return _Survey(resources, unkept, [*paths, *files], problems, looked.counts, looked.sources)


class _Kept:
    """What a commit holds, as a disk whose files can be looked into; what git LFS holds in its stead can't be."""

    def __init__(self, tree: RevisionTree) -> None:
        self._tree = tree
        self.names, self.folders, self.is_outside = tree.names, tree.folders, tree.is_outside

    def kind(self, path: str) -> Literal["file", "folder", ""]:
        """What stands there."""
        from mlplan.workspace.checkout import is_pointer

        kind = self._tree.kind(path)
        return "" if kind == "file" and is_pointer(self._tree.read(path) or b"") else kind

    def stamp(self, path: str) -> list[int]:
        """Nothing: a commit's files are looked into each time."""
        return [0, 0, 0, 0]

    def read(self, path: str) -> bytes:
        """A file's content. Raises: OSError."""
        content = self._tree.read(path)
        if content is None:
            raise FileNotFoundError(errno.ENOENT, "no such file in the commit", path)
        return content


def _with_kept_data(resource: Resource, tree: RevisionTree) -> tuple[Resource, dict[str, str]]:
    """A dataset or model with the files alone that git keeps; the other ones, with the submodule that each is in."""
    field = "source" if resource.address.kind == "dataset" else "file"
    written = resource.spec.get(field)
    names: list[str] = [written] if isinstance(written, str) else list(written or ())
    missing = {name: tree.submodule(_fixed(name)) for name in names if not _is_kept(name, tree)}
    if not missing:
        return resource, {}
    kept = [name for name in names if name not in missing]
    return resource._replace(spec={**resource.spec, field: kept if field == "source" else None}), missing


def _is_kept(name: str, tree: RevisionTree) -> bool:
    if name[:8].lower().startswith(("http://", "https://")):
        return True
    return bool(tree.kind(name)) or (is_glob(name) and any_match(name, tree))


def _fixed(path: str) -> str:
    """The part of a pattern before its first wildcard, a whole folder; any other path as it is."""
    parts = path.split("/")
    first = next((i for i, part in enumerate(parts) if is_glob(part)), len(parts))
    return "/".join(parts[:first]) or "."


def _confined(resource: Resource, tree: RevisionTree, outside: str) -> Resource:
    """A resource without what it reads outside of the repository: an empty folder for its code, no file of packages,
    a test request by its path."""
    spec: dict[str, Any] = dict(resource.spec)

    def is_out(path: object) -> bool:
        return isinstance(path, str) and is_written_outside(path) and tree.place(path) is None

    if is_out(spec.get("source")):
        spec["source"] = outside
    environment = spec.get("environment")
    if environment and is_out(environment.get("file")):
        spec["environment"] = {**environment, "file": None, "packages": []}
    if spec.get("test"):
        spec["test"] = [
            {**test, **{field: {"file": test[field]} for field in ("request", "requests") if is_out(test[field])}}
            for test in spec["test"]
        ]
    return resource if spec == resource.spec else resource._replace(spec=spec)


def _environment_files(
    resources: Mapping[Address, Resource], tree: RevisionTree
) -> tuple[set[str], list[Diagnostic]]:
    """The files that list packages, those that they include too, and what is wrong with them."""
    from mlplan.lock.environment import read_environment

    files: set[str] = set()

    def read(file: str) -> str:
        content = tree.read(file)
        if content is None:
            raise OSError(errno.EACCES, "git doesn't hold it in this commit", file)
        files.add(file)
        return content.decode()

    problems: dict[str, tuple[Diagnostic, ...]] = {}
    for resource in resources.values():
        environment = resource.spec.get("environment")
        if environment and environment.get("file") and environment["file"] not in problems:
            problems[environment["file"]] = read_environment(environment, read).problems
    return files, [problem for found in problems.values() for problem in found]
