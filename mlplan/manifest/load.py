"""From `mlplan.yaml` to a `Manifest`: reads, parses, checks, resolves and validates it, or finds it in the cache."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.codes import read as codes
from mlplan.diagnostics import Diagnostic, has_errors, in_order, nearest
from mlplan.json_types import digest_of, is_utf8
from mlplan.manifest import cache as kept_manifests
from mlplan.manifest.contents import look_into
from mlplan.manifest.files import ReadableDisk, RealDisk, check_files
from mlplan.manifest.resolved import Manifest, Resource, Whereabouts
from mlplan.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlplan.address import Address
    from mlplan.manifest.drafts import Drafts
    from mlplan.manifest.nodes import Document
    from mlplan.manifest.parse import Parsed
    from mlplan.manifest.variables import Variables


class Loaded(NamedTuple):
    """What loading gives."""

    manifest: Manifest | None  # None where there are errors
    diagnostics: tuple[Diagnostic, ...]  # in order; warnings alone where there is a manifest
    sources: tuple[Source, ...]  # the files that diagnostics point into
    whereabouts: Whereabouts | None  # told in spite of errors elsewhere; None where they leave it in doubt


class File(NamedTuple):
    """A file that was read: its shown name and its bytes."""

    name: str
    data: bytes


class Inputs(NamedTuple):
    """What a manifest is resolved with."""

    environ: Mapping[str, str]
    profile: str = ""
    variables: Mapping[str, str] = {}  # of the command line
    variable_files: Sequence[File] = ()  # YAML or JSON: names to values


def load(
    file: str,
    *,
    environ: Mapping[str, str],
    profile: str = "",
    variables: Mapping[str, str] | None = None,
    variable_files: Sequence[str] = (),
    cache: str | None = None,
) -> Loaded:
    """The manifest at a path, or all that is wrong with it. Never raises for what a user wrote.

    `variables` are those of the command line, `variable_files` paths, weakest first. `cache` is a folder in which
    valid manifests are kept resolved; None does without. Files that a manifest names are looked for each time; those
    of tests are read again where they aren't as they were.
    """
    files, problems = _read_all([file, *variable_files])
    problems += _given_otherwise(os.path.dirname(os.path.abspath(file)), profile, variables or {})
    if problems:
        return Loaded(None, tuple(problems), (), None)
    inputs = Inputs(environ, profile, variables or {}, files[1:])
    root, data = os.path.dirname(os.path.abspath(file)), files[0].data
    disk = RealDisk(root)
    if cache is None:
        return load_bytes(data, file=files[0].name, root=root, inputs=inputs, disk=disk)
    key = kept_manifests.key_of(data, inputs.profile, inputs.variables, [given.data for given in files[1:]])
    kept = kept_manifests.read(cache, key, file=files[0].name, root=root, profile=profile, environ=environ)
    if kept is not None:
        specs = {address: resource.spec for address, resource in kept.manifest.resources.items()}
        source = Source(files[0].name, data.decode().removeprefix("\ufeff"))
        here = Whereabouts(root, kept.manifest.project, kept.manifest.workspace)
        made = _Made(kept.manifest, list(kept.warnings), (source,), specs, kept.manifest.places, (), here)
    else:
        made = _resolve(data, files[0].name, root, inputs)
        if made.manifest is not None:
            kept_manifests.write(cache, key, made.manifest, made.diagnostics, made.consulted, environ)
    return _with_files(made, disk, cache)


def load_bytes(data: bytes, *, file: str, root: str, inputs: Inputs, disk: ReadableDisk | None) -> Loaded:
    """The manifest that these bytes hold, as if they stood in `root`; `disk` tells which files exist there, None that
    nobody asks."""
    made = _resolve(data, file, root, inputs)
    return _with_files(made, disk, None) if disk else _loaded(made)


def _with_files(made: _Made, disk: ReadableDisk, cache: str | None) -> Loaded:
    """What was made, with what is wrong with the files that it names."""
    place_of = place_in(made.places)
    missing = [found for address, spec in made.specs.items() for found in check_files(address, spec, disk, place_of)]
    looked = look_into(made.specs, disk, place_of, cache)
    manifest = made.manifest._replace(requests=looked.counts) if made.manifest and looked.counts else made.manifest
    diagnostics = [*made.diagnostics, *missing, *looked.problems]
    return _loaded(
        made._replace(manifest=manifest, diagnostics=diagnostics, sources=(*made.sources, *looked.sources))
    )


def _loaded(made: _Made) -> Loaded:
    unreadable = {diagnostic.span for diagnostic in made.diagnostics if _is_about_reading(diagnostic)}
    ordered = tuple(
        diagnostic
        for diagnostic in in_order(made.diagnostics)
        if diagnostic.span not in unreadable or _is_about_reading(diagnostic)
    )
    return Loaded(None if has_errors(ordered) else made.manifest, ordered, made.sources, made.whereabouts)


def _is_about_reading(diagnostic: Diagnostic) -> bool:
    """Whether it says that a value can't be read: then nothing more has to be said about that value."""
    return diagnostic.severity == "error" and diagnostic.code.startswith("MLP10") and diagnostic.span is not None


def place_in(places: Mapping[str, Span]) -> Callable[[Address, str], Span]:
    """Finds the place of a resource's field, or of what is around it where the field isn't written."""

    def place_of(address: Address, field: str) -> Span:
        path = f"{address}.{field}"
        while path not in places:
            path = path.rpartition(".")[0]
        return places[path]

    return place_of


class _Made(NamedTuple):
    """What resolving gives, before the disk is asked."""

    manifest: Manifest | None
    diagnostics: list[Diagnostic]
    sources: tuple[Source, ...]
    specs: Mapping[Address, Mapping[str, Any]]  # those of drafts, where there is no manifest
    places: Mapping[str, Span]
    consulted: Sequence[str]  # names of environment variables
    whereabouts: Whereabouts | None


def _resolve(data: bytes, file: str, root: str, inputs: Inputs) -> _Made:
    from mlplan.manifest import check, parse, profiles, resolve, validate, variables
    from mlplan.manifest.drafts import fill
    from mlplan.manifest.whereabouts import in_doubt

    parsed = parse.parse(data, file)
    files = [variables.read_file(given.name, given.data) for given in inputs.variable_files]
    sources = (parsed.source, *(given.source for given in files))
    found = [*parsed.diagnostics, *(diagnostic for given in files for diagnostic in given.diagnostics)]
    if parsed.document is None:
        return _Made(None, found, sources, {}, {}, (), None)
    document, problems = profiles.with_profile(parsed.document, inputs.profile)
    checked = check.check(document)
    environ = _declared_environ(document, inputs.environ)
    offers = variables.offers_of([given.offers for given in files], environ, inputs.variables)
    values = variables.read_variables(document, checked.bad, offers)
    drafts = fill(document, checked, values.values, inputs.environ, set(values.declared))
    found += [*problems, *checked.diagnostics, *values.diagnostics, *drafts.diagnostics]
    finished = resolve.finish(document, drafts, values.values, doomed=has_errors(found))
    moved, bad_moves = validate.moves(document, checked, drafts.drafts)
    found += [*finished.diagnostics, *bad_moves, *validate.validate(drafts.drafts, drafts.places)]
    found += _surprises(document, parsed, found)
    specs = {address: draft.spec for address, draft in drafts.drafts.items()}
    consulted = (*drafts.consulted, *(f"{variables.ENVIRONMENT_PREFIX}{name}" for name in values.declared))
    manifest = None
    if not has_errors(found):
        manifest = Manifest(
            file=file,
            root=root,
            digest=_digest(data, inputs.profile, values, drafts),
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
    here = None
    if not problems and not in_doubt(parsed, inputs.profile, checked, values, drafts):
        here = Whereabouts(root, drafts.project, drafts.workspace)
    return _Made(manifest, found, sources, specs, drafts.places, consulted, here)


def _digest(data: bytes, profile: str, values: Variables, drafts: Drafts) -> str:
    filled = {name: value.value for name, value in values.values.items()}
    return digest_of([data.decode(), profile, filled, drafts.consulted])


def _surprises(document: Document, parsed: Parsed, found: list[Diagnostic]) -> list[Diagnostic]:
    """Warnings about scalars that others read differently, where nothing worse was said about them."""
    from mlplan.manifest.misreferences import surprise

    told = {diagnostic.span for diagnostic in found}
    return [
        surprise(document, node, node.value)
        for node in parsed.surprises
        if node.surprise != "zero" and document.span(node) not in told
    ]


def _declared_environ(document: Document, environ: Mapping[str, str]) -> dict[str, str]:
    """The `MLPLAN_VAR_` variables that belong to a declared variable; others may belong to another project."""
    from mlplan.manifest.nodes import value_of
    from mlplan.manifest.variables import ENVIRONMENT_PREFIX

    section = document.root.entries.get("variables")
    names = value_of(section.value) if section else None
    if not isinstance(names, dict):
        return {}
    return {key: environ[key] for name in names if (key := f"{ENVIRONMENT_PREFIX}{name}") in environ}


def _read_all(paths: Sequence[str]) -> tuple[list[File], list[Diagnostic]]:
    """The manifest and the variable files, or why one of them can't be read."""
    files: list[File] = []
    problems: list[Diagnostic] = []
    for index, path in enumerate(paths):
        try:
            with open(path, "rb") as stream:
                files.append(File(os.path.basename(path), stream.read()))
        except (OSError, ValueError) as error:
            problems.append(_unreadable(path, error) if index == 0 else _unreadable_variables(path, error))
    return files, problems


def _given_otherwise(root: str, profile: str, variables: Mapping[str, str]) -> list[Diagnostic]:
    """What is no UTF-8, and so can't be recorded. What the environment gives is looked at where it is used."""
    given = {f"The path of the project's folder, `{root}`,": root, f"`--profile {profile}`": profile}
    given.update({f"`--var {name}={value}`": f"{name}={value}" for name, value in variables.items()})
    if all(map(is_utf8, given.values())):
        return []
    from mlplan.manifest.unreadable import given_otherwise

    return [given_otherwise(what) for what, text in given.items() if not is_utf8(text)]


def _unreadable(path: str, error: Exception) -> Diagnostic:
    if not isinstance(error, FileNotFoundError):
        return codes.MLP1002.diagnostic(
            f"`{path}` can't be read: {_reason(error)}.", hint="Name a file that you may read, with `-f FILE`."
        )
    return codes.MLP1001.diagnostic(f"There is no file `{path}`.", hint=_where_one_is(path))


def _where_one_is(path: str) -> str:
    """What to do about a manifest that isn't there: often one stands beside it, or in a folder above."""
    folder, name = os.path.split(os.path.abspath(path))
    names = os.listdir(folder) if os.path.isdir(folder) else []
    near = nearest(name, (other for other in names if other.endswith((".yaml", ".yml"))))
    if near or "mlplan.yaml" in names:
        return f"Did you mean `{near or 'mlplan.yaml'}`, which stands there? Name it with `-f`."
    above = os.path.dirname(folder)
    while above != os.path.dirname(above) and not os.path.exists(os.path.join(above, name)):
        above = os.path.dirname(above)
    if os.path.exists(os.path.join(above, name)):
        above = os.path.relpath(above)
        return f"`{above}` holds one: go there, or name it with `-C {above}`."
    if name != "mlplan.yaml":
        return "Go to the project's folder or name it with `-C DIR`, and its manifest with `-f FILE`."
    return "Go to the project's folder or name it with `-C DIR`, or begin a project:\n\n    mlplan init"


def _unreadable_variables(path: str, error: Exception) -> Diagnostic:
    return codes.MLP1015.diagnostic(
        f"The variable file `{path}` can't be read: {_reason(error)}.",
        hint="Check the path. It is relative to the folder in which mlplan runs.",
    )


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
