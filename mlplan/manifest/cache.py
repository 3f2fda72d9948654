"""Keeps valid manifests resolved, so that the next load imports neither PyYAML nor pydantic nor jsonschema.

One file a profile, in three lines: the sha256 of what follows, the manifest as JSON, and the places as JSON, which
are read only when asked for. Only its owner can read it: values of the environment may be filled in. JSON executes
nothing; a file that is damaged, or made by another version or from other inputs, is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan import __version__, resources
from mlplan.address import Address
from mlplan.diagnostics import Diagnostic, Label
from mlplan.json_types import digest_of
from mlplan.manifest.resolved import Manifest, Move, Reference, Resource, Value
from mlplan.source import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT = 1
"""Raised when the meaning of what is kept changes."""


class Kept(NamedTuple):
    """A manifest from the cache, and the warnings about it."""

    manifest: Manifest
    warnings: tuple[Diagnostic, ...]


def key_of(data: bytes, profile: str, variables: Mapping[str, str], variable_files: Sequence[bytes]) -> str:
    """Names all that decides what a manifest resolves to, apart from the environment."""
    schema = resources.read("schemas", "manifest.json")
    return digest_of(
        [
            FORMAT,
            __version__,
            hashlib.sha256(schema.encode()).hexdigest(),
            hashlib.sha256(data).hexdigest(),
            profile,
            dict(variables),
            [hashlib.sha256(content).hexdigest() for content in variable_files],
        ]
    )


def read(folder: str, key: str, *, file: str, root: str, profile: str, environ: Mapping[str, str]) -> Kept | None:
    """What is kept for this key, if the environment still says the same."""
    try:
        with open(_path(folder, file, profile), encoding="utf-8") as stream:
            checksum, body, places = stream.read().split("\n")
        if checksum != _checksum(body, places):
            return None
        kept = json.loads(body)
        if kept["key"] != key or kept["consulted"] != consulted(kept["consulted"], environ):
            return None
        return _kept(kept, places, file, root)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def write(
    folder: str,
    key: str,
    manifest: Manifest,
    warnings: Sequence[Diagnostic],
    environment: Sequence[str],
    environ: Mapping[str, str],
) -> None:
    """Keeps a manifest, if the folder can be written. `environment` names the variables that were consulted."""
    body = json.dumps(
        {
            "key": key,
            "consulted": consulted(environment, environ),
            "digest": manifest.digest,
            "project": manifest.project,
            "workspace": manifest.workspace,
            "profile": manifest.profile,
            "resources": [_resource(resource) for resource in manifest.resources.values()],
            "moved": [[*move.old, *move.new, *move.place[1:]] for move in manifest.moved],
            "variables": manifest.variables,
            "secrets": manifest.secrets,
            "warnings": [_warning(warning) for warning in warnings],
        }
    )
    places = json.dumps({path: span[1:] for path, span in manifest.places.items()})
    path = _path(folder, manifest.file, manifest.profile)
    aside = f"{path}.{os.getpid()}"
    try:
        os.makedirs(folder, exist_ok=True)
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            stream.write("\n".join((_checksum(body, places), body, places)))
        os.replace(aside, path)
    except OSError:
        return  # the next load is slower, that is all


def consulted(names: Mapping[str, Any] | Sequence[str], environ: Mapping[str, str]) -> dict[str, str | None]:
    """The environment's values by digest, so that none is kept in the clear."""
    return {
        name: hashlib.sha256(environ[name].encode(errors="surrogateescape")).hexdigest() if name in environ else None
        for name in names
    }


def _path(folder: str, file: str, profile: str) -> str:
    return os.path.join(folder, f"manifest-{digest_of([file, profile])[:16]}.json")


def _checksum(body: str, places: str) -> str:
    return hashlib.sha256(f"{body}\n{places}".encode()).hexdigest()


def _resource(resource: Resource) -> list[Any]:
    references = [
        [*reference.address, reference.attribute, *reference.place[1:]] for reference in resource.references
    ]
    return [*resource.address, resource.spec, references, resource.place[1:]]


def _warning(warning: Diagnostic) -> list[Any]:
    labels = [[*label.span, label.text] for label in warning.labels]
    return [*warning[:5], labels, warning.address]


def _kept(kept: Any, places: str, file: str, root: str) -> Kept:
    resources = {}
    for kind, name, spec, references, place in kept["resources"]:
        address = Address(kind, name)
        resources[address] = Resource(
            address,
            spec,
            tuple(
                Reference(Address(of, named), attribute, Span(file, *at)) for of, named, attribute, *at in references
            ),
            Span(file, *place),
        )
    manifest = Manifest(
        file=file,
        root=root,
        digest=kept["digest"],
        project=kept["project"],
        workspace=kept["workspace"],
        profile=kept["profile"],
        resources=resources,
        moved=tuple(
            Move(Address(kind, old), Address(to, new), Span(file, *at)) for kind, old, to, new, *at in kept["moved"]
        ),
        variables={name: Value(*value) for name, value in kept["variables"].items()},
        secrets=tuple(kept["secrets"]),
        places=Places(file, places),
    )
    return Kept(manifest, tuple(_diagnostic(warning) for warning in kept["warnings"]))


def _diagnostic(warning: Any) -> Diagnostic:
    code, severity, summary, detail, hint, labels, address = warning
    return Diagnostic(
        code,
        severity,
        summary,
        detail,
        hint,
        tuple(Label(Span(*label[:5]), label[5]) for label in labels),
        Address(*address) if address else None,
    )


class Places(Mapping[str, Span]):
    """Places that are read when one is asked for."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._read: dict[str, list[int]] | None = None

    def _all(self) -> dict[str, list[int]]:
        if self._read is None:
            self._read = json.loads(self._text)
        return self._read

    def __getitem__(self, path: str) -> Span:
        return Span(self._file, *self._all()[path])

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
