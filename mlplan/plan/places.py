"""Where a reason was written: the line of the manifest, the default of a variable, the file. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mlplan.address import Address
from mlplan.plan.changes import Change, Reason

if TYPE_CHECKING:
    from mlplan.manifest.resolved import Manifest, Resource
    from mlplan.manifest.written import Written


class Place(NamedTuple):
    """Where somebody wrote what a reason speaks of."""

    file: str = ""  # as it is shown: relative to the project's folder
    line: int | None = None  # None: the whole file
    gone: str = ""  # a pattern of the line that stood there, where it was taken out
    said: str = ""  # where a value comes from that no file holds


def places_of(
    reason: Reason,
    change: Change,
    manifest: Manifest,
    written: Written,
    files: Callable[[Change, Reason], Sequence[str]],
) -> list[Place]:
    """All places of a reason; none where it speaks of the world. `files` gives the files that a reason speaks of."""
    if reason.cause == "undeclared":
        return [Place(manifest.file, gone=f"^  *{change.address.name} *:")]
    if reason.cause == "moved":
        return [Place(manifest.file, move.place.line) for move in manifest.moved if move.new == change.address]
    resource = manifest.resources.get(change.address)
    if resource is None or reason.cause not in ("new", "changed", "added", "removed", "unpinned"):
        return []
    if reason.cause == "new":
        return [Place(manifest.file, resource.place.line)]
    named = [Place(file) for file in files(change, reason)]
    paths = [path for path in fields_of(reason.subject, resource, manifest.resources) if path in manifest.places]
    lines = [Place(manifest.file, manifest.places[path].line) for path in paths]
    if reason.cause == "removed" and not named and not lines:
        return [Place(manifest.file, gone=f"\\b{_basic(reason.subject.partition(' ')[2] or reason.subject)}\\b")]
    origins = [place for path in paths for place in _origins(path, manifest, written)]
    # A file that is named says more than the line that names it.
    return list(dict.fromkeys([*(named or lines), *origins]))


def _basic(text: str) -> str:
    """Text as a basic regular expression that fits it alone."""
    return re.sub(r"([\\.\[*^$])", r"\\\1", text)


def _origins(path: str, manifest: Manifest, written: Written) -> Iterator[Place]:
    """Where the values come from that are filled in at a path."""
    for scope, name in written.mentions_in(path):
        if scope == "env":
            yield Place(said=f"filled in from {name} of the environment")
        elif scope == "secret":
            yield Place(said=f"the value of the secret {name}, which stands in no file")
        elif scope == "var" and name in manifest.variables:
            origin = manifest.variables[name].origin
            default = written.default_of(name)
            if origin == "default" and default is not None:
                yield Place(default.file, default.line)
            else:
                yield Place(said=f"the variable {name} has its value from the {origin}")


def fields_of(subject: str, resource: Resource, resources: Mapping[Address, Resource]) -> list[str]:
    """The dotted paths of the manifest that a part of a resource may come from, the nearest first."""
    address, spec = resource.address, resource.spec
    kind, _, name = subject.partition(" ")
    if kind == "compute" and name:
        return [f"compute.{spec['compute']}.{name}"]
    if kind in ("package", "python") or subject in ("package indexes", "locked packages"):
        return [path for owner in _environments(resource, resources) for path in _package_fields(owner, kind, name)]
    found = {
        "tag": [f"tags.{name}"],
        "property": [f"properties.{name}"],
        "env": [f"env.{name}"],
        "secret": _holding(spec.get("env"), "env", f"secret.{name.partition(',')[0]}"),  # "X, second digest"
        "require": _index(spec.get("require"), "require", lambda gate: str(gate) == name),
        "model": _index(spec.get("models"), "models", lambda model: str(model).partition(":")[0] == name),
        "inference": ["inference"],
        "argument": [f"arguments.{int(name) - 1}"] if name.isdigit() else [],
        "order": ["arguments"],
    }.get(kind)
    if subject.startswith(("test request ", "golden requests ")):
        field, file = subject.split(" ", 2)[1:]
        found = _index(spec.get("test"), "test", lambda test: isinstance(test, Mapping) and test[field] == file)
        found = [f"{path}.{field}" for path in found]
    elif subject.startswith("-"):
        found = _option(spec.get("arguments"), subject)
    elif kind in ("dataset", "run", "model", "deployment") and name and address.kind == "run":
        mention = f"{kind}.{name.partition(' ')[0]}."
        found = [*_holding(spec.get("arguments"), "arguments", mention), *_holding(spec.get("env"), "env", mention)]
        found += _holding(spec.get("command"), "command", mention)
    if found is None:
        found = [subject.replace(" ", "_"), "source", "file", "run"]
        found = found[:1] if subject.replace(" ", "_") in spec else found
    return [f"{address}.{field}" for field in found]


def _environments(resource: Resource, resources: Mapping[Address, Resource]) -> list[Resource]:
    """Whose environment a resource runs in: its own; a service's is that of its inference, or of its model's run."""
    if resource.address.kind != "deployment":
        return [resource]
    inference = resources.get(Address("inference", str(resource.spec.get("inference"))))
    if inference is not None and inference.spec.get("environment"):
        return [inference]
    model = resources.get(Address("model", str(resource.spec["models"][0]).partition(":")[0]))
    run = resources.get(Address("run", str(model.spec.get("run")))) if model else None
    return [run] if run else []


def _package_fields(owner: Resource, kind: str, name: str) -> list[str]:
    environment = owner.spec.get("environment") or {}
    packages = _index(
        environment.get("packages"),
        "packages",
        lambda package: re.split(r"[^\w.-]", str(package), maxsplit=1)[0] == name,
    )
    fields = [*{"package": packages, "python": ["python"]}.get(kind, []), "file", ""]
    return [f"{owner.address}.environment{'.' + field if field else ''}" for field in fields][
        : 1 if packages else None
    ]


def _index(items: object, field: str, wanted: Callable[[object], bool]) -> list[str]:
    """The paths of the items that are wanted."""
    if not isinstance(items, (list, tuple)):
        return []
    return [f"{field}.{index}" for index, item in enumerate(items) if wanted(item)]


def _holding(values: object, field: str, text: str) -> list[str]:
    """The paths of the texts that hold a mention."""
    if isinstance(values, Mapping):
        return [f"{field}.{name}" for name, value in values.items() if text in str(value)]
    return _index(values, field, lambda item: text in str(item))


def _option(arguments: object, option: str) -> list[str]:
    """The paths of an option's values, or of the option itself."""
    words = [str(word) for word in arguments] if isinstance(arguments, (list, tuple)) else []
    start = next((i for i, word in enumerate(words) if word.partition("=")[0] == option), None)
    if start is None:
        return []
    if "=" in words[start]:
        return [f"arguments.{start}"]
    end = next((i for i in range(start + 1, len(words)) if words[i].startswith("-")), len(words))
    return [f"arguments.{i}" for i in range(start + 1, end)] or [f"arguments.{start}"]
