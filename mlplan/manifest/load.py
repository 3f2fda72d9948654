"""From `mlplan.yaml` to a `Manifest`: reads, parses, checks, resolves and validates it, or finds it in the cache."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from mlplan.codes import read as codes
from mlplan.diagnostics import Diagnostic, has_errors, in_order, nearest
from mlplan.json_types import digest_of
from mlplan.manifest.files import Disk, RealDisk, check_files
from mlplan.manifest.resolved import Manifest, Resource
from mlplan.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlplan.address import Address
    from mlplan.manifest.nodes import Document
    from mlplan.manifest.variables import Offer


class Loaded(NamedTuple):
    """What loading gives."""

    manifest: Manifest | None  # None where there are errors
    diagnostics: tuple[Diagnostic, ...]  # in order; warnings alone where there is a manifest
    sources: tuple[Source, ...]  # the files that diagnostics point into


class Inputs(NamedTuple):
    """What a manifest is resolved with."""

    profile: str = ""
    variables: Mapping[str, str] = {}  # of the command line
    variable_files: Sequence[str] = ()  # paths
    environ: Mapping[str, str] = {}


def load(
    file: str,
    *,
    profile: str = "",
    variables: Mapping[str, str] = {},
    variable_files: Sequence[str] = (),
    environ: Mapping[str, str],
    cache: str | None = None,
) -> Loaded:
    """The manifest at a path, or all that is wrong with it. Never raises for what a user wrote.

    `cache` is a folder in which valid manifests are kept resolved; None does without. Files are looked for anew
    each time.
    """
    data, problem = _read(file)
    if problem is not None:
        return Loaded(None, (problem,), ())
    inputs = Inputs(profile, variables, variable_files, environ)
    root = os.path.dirname(os.path.abspath(file))
    return load_bytes(data, file=os.path.basename(file), root=root, inputs=inputs, disk=RealDisk(root))


def load_bytes(data: bytes, *, file: str, root: str, inputs: Inputs, disk: Disk) -> Loaded:
    """The manifest that these bytes hold, as if they stood in `root`; `disk` tells which files exist there."""
    from mlplan.manifest import check, parse, profiles, resolve, validate, variables

    parsed = parse.parse(data, file)
    files, sources, found = _variable_files(inputs.variable_files)
    sources = (parsed.source, *sources)
    found += parsed.diagnostics
    if parsed.document is None:
        return Loaded(None, tuple(in_order(found)), sources)
    document = parsed.document
    if inputs.profile:
        document, problems = profiles.with_profile(document, inputs.profile)
        found += problems
    checked = check.check(document)
    found += checked.diagnostics
    offers = variables.offers_of(files, _declared_environ(document, inputs.environ), inputs.variables)
    values = variables.read_variables(document, checked.bad, offers)
    found += values.diagnostics
    drafts = resolve.fill(document, checked, values.values, inputs.environ, set(values.declared))
    found += drafts.diagnostics
    finished = resolve.finish(document, drafts.drafts, values.values)
    found += finished.diagnostics
    moved, problems = validate.moves(document, checked, drafts.drafts)
    found += problems
    found += validate.validate(drafts.drafts, drafts.places)
    for address, draft in drafts.drafts.items():
        found += check_files(address, draft.spec, disk, _place_in(drafts.places))
    told = {label.span for diagnostic in found for label in diagnostic.labels[:1]}
    found += [
        resolve.surprise(document, node)
        for node in parsed.surprises
        if node.surprise != "zero" and document.span(node) not in told
    ]
    diagnostics = tuple(in_order(found))
    if has_errors(diagnostics):
        return Loaded(None, diagnostics, sources)
    manifest = Manifest(
        file=file,
        root=root,
        digest=digest_of(
            [
                data.decode(),
                inputs.profile,
                {name: value.value for name, value in values.values.items()},
                drafts.consulted,
            ]
        ),
        project=drafts.project,
        workspace=drafts.workspace,
        profile=inputs.profile,
        resources={
            address: Resource(address, finished.specs[address], draft.references, document.span(draft.key))
            for address, draft in drafts.drafts.items()
        },
        moved=tuple(moved),
        variables=values.values,
        secrets=tuple(sorted(drafts.secrets)),
        places=drafts.places,
    )
    return Loaded(manifest, diagnostics, sources)


def _read(file: str) -> tuple[bytes, Diagnostic | None]:
    try:
        with open(file, "rb") as stream:
            return stream.read(), None
    except FileNotFoundError:
        folder = os.path.dirname(file) or "."
        names = os.listdir(folder) if os.path.isdir(folder) else []
        near = nearest(os.path.basename(file), (name for name in names if name.endswith((".yaml", ".yml"))))
        return b"", codes.MLP1001.diagnostic(
            f"There is no file `{file}`.",
            hint=f"Did you mean `{near}`? Name it with `-f {os.path.join(os.path.dirname(file), near)}`."
            if near
            else "Go to the project's folder or name it with `-C DIR`, or begin a project:\n\n    mlplan init",
        )
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return b"", codes.MLP1002.diagnostic(
            f"`{file}` can't be read: {reason}.", hint="Name a file that you may read, with `-f FILE`."
        )


def _variable_files(paths: Sequence[str]) -> tuple[list[dict[str, Offer]], tuple[Source, ...], list[Diagnostic]]:
    from mlplan.manifest.variables import read_file

    read = [read_file(path) for path in paths]
    return (
        [offers for _, offers, _ in read],
        tuple(source for source, _, _ in read if source),
        [diagnostic for _, _, diagnostics in read for diagnostic in diagnostics],
    )


def _declared_environ(document: Document, environ: Mapping[str, str]) -> dict[str, str]:
    """The `MLPLAN_VAR_` variables that belong to a declared variable; others may belong to another project."""
    from mlplan.manifest.nodes import value_of
    from mlplan.manifest.variables import ENVIRONMENT_PREFIX

    section = document.root.entries.get("variables")
    names = value_of(section.value) if section else None
    if not isinstance(names, dict):
        return {}
    return {key: environ[key] for name in names if (key := f"{ENVIRONMENT_PREFIX}{name}") in environ}


def _place_in(places: Mapping[str, Span]) -> Callable[[Address, str], Span]:
    """Finds the place of a resource's field, or of what is around it where the field isn't written."""

    def place_of(address: Address, field: str) -> Span:
        path = f"{address}.{field}"
        while path not in places:
            path = path.rpartition(".")[0]
        return places[path]

    return place_of
