"""Checks a document against the published schema: every error, each as one diagnostic at its exact place.

An unknown key is shown at the key, a missing one at the key of what it is missing in, all else at the value.
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan import resources
from mlplan.address import KINDS, Address
from mlplan.codes import schema as codes
from mlplan.diagnostics import Diagnostic, Label, nearest
from mlplan.manifest import wording
from mlplan.manifest.nodes import Document, Mapping, Path, Scalar, at, key_at, value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

    from mlplan.codes import Code


class Checked(NamedTuple):
    """What checking gives."""

    diagnostics: list[Diagnostic]
    bad: frozenset[Path]  # values that don't fit, and keys that aren't known: nothing below them counts
    incomplete: frozenset[Path]  # mappings in which something is missing or contradicts something else
    meant: frozenset[Path]  # values that unknown keys look like being meant for


def check(document: Document) -> Checked:
    """All that the schema has to say about a document."""
    reports: dict[tuple[Path, str, str], _Report] = {}
    for error in _validator().iter_errors(value_of(document.root)):
        for report in _reports(document.root, error):
            reports.setdefault((report.path, report.code.code, report.detail), report)
    meant = frozenset((*report.path[:-1], report.meant) for report in reports.values() if report.meant)
    told = [
        report
        for report in reports.values()
        if not report.lacks or not any((*report.path, key) in meant for key in report.lacks)
    ]
    return Checked(
        [_diagnostic(document, report) for report in told],
        frozenset(report.path for report in reports.values() if report.spoils == "value"),
        frozenset(report.path for report in reports.values() if report.spoils == "mapping"),
        meant,
    )


class _Report(NamedTuple):
    code: Code
    path: Path
    detail: str
    hint: str
    mark: str
    at_key: bool = False  # shown at the key that leads to the path, not at the value
    other: tuple[Path, str] | None = None  # another key to show
    meant: str = ""  # the key that a misspelt one is probably meant to be
    lacks: tuple[str, ...] = ()  # keys of which one is missing
    spoils: str = "value"  # what can't be used: the "value", or the "mapping" it stands in as a whole


def _diagnostic(document: Document, report: _Report) -> Diagnostic:
    node = key_at(document.root, report.path) if report.at_key else at(document.root, report.path)
    if report.at_key and not report.path:
        node = next((entry.key for entry in document.root.entries.values()), document.root)
    labels = [Label(document.span(node), report.mark)]
    if report.other:
        labels.append(Label(document.span(key_at(document.root, report.other[0])), report.other[1]))
    return report.code.diagnostic(report.detail, hint=report.hint, labels=labels, address=address_of(report.path))


def address_of(path: Path) -> Address | None:
    """The resource that a path leads to or into."""
    inside = path[2:] if path[:1] == ("profiles",) else path
    if len(inside) >= 2 and inside[0] in KINDS:
        return Address(str(inside[0]), str(inside[1]))
    return None


@functools.cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(resources.read("schemas", "manifest.json"))
    return schema


def without_effect(compute_type: str) -> dict[str, str]:
    """The fields that a compute of this type can't honour, such as `run.resources.gpus`, each with the reason."""
    fields: dict[str, str] = _schema()["$defs"][f"{compute_type.title()}Compute"]["x-without-effect"]
    return fields


@functools.cache
def _validator() -> Validator:
    """jsonschema's validator for the manifest. References are resolved once, here, since that is slow each time."""
    import jsonschema
    from jsonschema.validators import extend

    schema = dict(_schema())
    definitions = schema.pop("$defs")
    checks = {"pattern": _pattern}
    made: type[Validator] = extend(jsonschema.Draft202012Validator, checks)  # type: ignore[no-untyped-call]  # in its stubs
    return made(_inlined(schema, definitions, {}))


def _inlined(schema: Any, definitions: dict[str, Any], done: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inlined(inner, definitions, done) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        if name not in done:
            done[name] = _inlined(definitions[name], definitions, done)
        return done[name]
    return {key: _inlined(value, definitions, done) for key, value in schema.items()}


def _pattern(_: Validator, pattern: str, instance: object, __: object) -> Iterator[ValidationError]:
    """`pattern` as ECMAScript means it: `$` is the very end, also before a line break."""
    from jsonschema import ValidationError

    if isinstance(instance, str) and not re.search(_python(pattern), instance):
        yield ValidationError("wrong form")


@functools.cache
def _python(pattern: str) -> str:
    return re.sub(r"(?<!\\)\$(?=\||$)", r"\\Z", pattern)


def _reports(root: Mapping, error: ValidationError) -> Iterable[_Report]:
    path: Path = tuple(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path:
        return [_bad_name(path, str(error.instance), str(error.validator_value))]
    keyword: Any = (error.schema, error.validator_value, error.instance)
    if error.validator in ("oneOf", "not") and not isinstance(error.instance, dict):
        return []  # they are about keys; that it has none is told by its type
    return _BY_KEYWORD[str(error.validator)](root, path, _Unmet(*keyword))


class _Unmet(NamedTuple):
    """A keyword of the schema that an instance doesn't meet."""

    schema: dict[str, Any]  # that the keyword stands in
    value: Any  # of the keyword
    instance: Any


def _bad_name(path: Path, name: str, pattern: str) -> _Report:
    form, near = wording.name_form(pattern, name)
    return _Report(
        codes.MLP2007,
        (*path, name),
        f"`{name}` can't be a name in `{path[-1]}`. {form}",
        _suggest(near),
        "not a name",
        at_key=True,
    )


def _suggest(name: str | None) -> str:
    return f"Did you mean `{name}`?" if name else ""


def _unknown_keys(_: Mapping, path: Path, unmet: _Unmet) -> Iterator[_Report]:
    known = list(unmet.schema.get("properties", ()))
    where = f"in `{path[-1]}`" if path else "at the top of a manifest"
    for key in unmet.instance:
        if key not in known:
            near = nearest(str(key), known)
            yield _Report(
                codes.MLP2001,
                (*path, key),
                f"`{key}` is no key {_within(path, where)}. A key that isn't known would do nothing.",
                f"Did you mean `{near}`?" if near else f"The keys here are: {', '.join(sorted(known))}.",
                "not a key",
                at_key=True,
                meant=near or "",
            )


def _within(path: Path, where: str) -> str:
    address = address_of(path)
    if address and path[-2:] == address:
        return f"of {'an' if address.kind == 'inference' else 'a'} {address.kind}"
    return where


def _missing_keys(_: Mapping, path: Path, unmet: _Unmet) -> Iterator[_Report]:
    for key in unmet.value:
        if key not in unmet.instance:
            yield _missing(path, [str(key)])


def _missing_dependents(_: Mapping, path: Path, unmet: _Unmet) -> Iterator[_Report]:
    for key, wanted in unmet.value.items():
        if key in unmet.instance:
            for name in wanted:
                if name not in unmet.instance:
                    yield _missing(path, [name], f" beside `{key}`")


def _missing(path: Path, keys: list[str], beside: str = "") -> _Report:
    either = " or ".join(f"`{key}`" for key in keys)
    whose = f"`{wording.name(path)}`" if path else "The manifest"
    return _Report(
        codes.MLP2002,
        path,
        f"{whose} needs {either}{beside}.",
        "Add " + " or ".join(f"`{key}: {_EXAMPLES.get(key, '...')}`" for key in keys) + ".",
        f"{either} is missing",
        at_key=True,
        lacks=tuple(keys),
        spoils="mapping",
    )


_EXAMPLES = {
    "version": "1", "project": "my-project", "type": "local", "source": "data.csv", "script": "train.py",
    "command": "[python, train.py]", "port": "8000", "path": "outputs/model.pkl", "file": "model.pkl",
    "request": "request.json", "requests": "golden.jsonl", "name": "scikit-learn", "from": "run.old", "to": "run.new",
}  # fmt: skip


def _wrong_type(root: Mapping, path: Path, unmet: _Unmet) -> Iterator[_Report]:
    node = at(root, path)
    expected = wording.expected(unmet.schema)
    yield _Report(
        codes.MLP2003,
        path,
        f"`{wording.name(path)}` is {wording.found(node)}; it has to be {expected}.",
        wording.type_hint(node, unmet.schema),
        f"expected {expected}",
    )


def _unknown_choice(root: Mapping, path: Path, unmet: _Unmet) -> Iterator[_Report]:
    choices = _choices(unmet.schema)
    node = at(root, path)
    listed = " or ".join(f"`{choice}`" for choice in choices)
    near = nearest(node.text, choices) if isinstance(node, Scalar) else None
    yield _Report(
        codes.MLP2004,
        path,
        f"`{wording.name(path)}` is {wording.found(node)}; it has to be {listed}.",
        f"Did you mean `{near}`?" if near else f"Write {listed}.",
        f"expected {listed}",
    )


def _choices(schema: dict[str, Any]) -> list[str]:
    for branch in (schema, *schema.get("anyOf", ())):
        if "enum" in branch:
            return list(branch["enum"])
    return [str(schema["const"])]


def _constant(root: Mapping, path: Path, unmet: _Unmet) -> Iterator[_Report]:
    if path != ("version",):
        yield from _unknown_choice(root, path, unmet)
    elif not _is_type(unmet.instance, int):
        return  # the error about its type says more
    else:
        yield _Report(
            codes.MLP2010,
            path,
            f"This manifest says it is of version {unmet.instance}; this mlplan knows version 1.",
            "Write `version: 1`, or use the version of mlplan that the manifest was written for.",
            "expected 1",
        )


def _is_type(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _out_of_range(_: Mapping, path: Path, unmet: _Unmet) -> Iterator[_Report]:
    bounds = wording.bounds(unmet.schema)
    yield _Report(
        codes.MLP2005,
        path,
        f"`{wording.name(path)}` is {unmet.instance}; it has to be {bounds}.",
        f"Write a number that is {bounds}.",
        f"expected {bounds}",
    )


def _wrong_form(root: Mapping, path: Path, unmet: _Unmet) -> Iterator[_Report]:
    if not isinstance(unmet.schema.get("type"), str):  # text where only a reference may be
        yield from _wrong_type(root, path, unmet)
        return
    form, example = wording.form(str(unmet.value))
    yield _Report(
        codes.MLP2006,
        path,
        f"`{wording.name(path)}` is {wording.found(at(root, path))}; it has to be {form}.",
        f"Write it like this: {example}.",
        f"expected {form}",
    )


def _nothing_given(_: Mapping, path: Path, unmet: _Unmet) -> Iterator[_Report]:
    what = "an empty list" if isinstance(unmet.instance, list) else "empty text"
    yield _Report(
        codes.MLP2009,
        path,
        f"`{wording.name(path)}` is {what}; it has to hold something.",
        "Write a value, or delete the key if it may be left out.",
        "nothing given",
    )


def _repeated(_: Mapping, path: Path, unmet: _Unmet) -> Iterator[_Report]:
    seen: dict[str, int] = {}
    for index, item in enumerate(unmet.instance):
        first = seen.setdefault(json.dumps(item, sort_keys=True), index)
        if first != index:
            yield _Report(
                codes.MLP2011,
                (*path, index),
                f"`{item}` stands twice in `{wording.name(path)}`.",
                "Delete one of the two.",
                "the second time",
                other=((*path, first), "the first time"),
            )


def _either(root: Mapping, path: Path, unmet: _Unmet) -> Iterator[_Report]:
    keys = [str(branch["required"][0]) for branch in unmet.value]
    given = [key for key in keys if key in unmet.instance]
    yield _exclusive(root, path, given) if given else _missing(path, keys)


def _not_both(root: Mapping, path: Path, unmet: _Unmet) -> Iterator[_Report]:
    yield _exclusive(root, path, [str(key) for key in unmet.value["required"]])


def _exclusive(root: Mapping, path: Path, keys: list[str]) -> _Report:
    mapping = at(root, path)
    order = list(mapping.entries) if isinstance(mapping, Mapping) else keys
    first, second = sorted(keys, key=order.index)[:2]
    return _Report(
        codes.MLP2008,
        (*path, second),
        f"`{wording.name(path)}` has both `{first}` and `{second}`; only one of them can hold.",
        f"Delete `{first}` or `{second}`.",
        f"not beside `{first}`",
        at_key=True,
        other=((*path, first), "the other one"),
        spoils="mapping",
    )


_BY_KEYWORD: dict[str, Callable[[Mapping, Path, _Unmet], Iterable[_Report]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "dependentRequired": _missing_dependents,
    "type": _wrong_type,
    "enum": _unknown_choice,
    "anyOf": _unknown_choice,
    "const": _constant,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "exclusiveMinimum": _out_of_range,
    "pattern": _wrong_form,
    "minLength": _nothing_given,
    "minItems": _nothing_given,
    "uniqueItems": _repeated,
    "oneOf": _either,
    "not": _not_both,
}
"""How an error of each keyword is told. A test holds this against the keywords of the schema."""
