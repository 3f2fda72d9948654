"""The variables' values, each with its origin: default, file, environment, command line; the last one wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlplan.codes import meaning as codes
from mlplan.codes import read as read_codes
from mlplan.diagnostics import Diagnostic, Label, nearest
from mlplan.json_types import is_utf8
from mlplan.manifest.misreferences import reference_inside
from mlplan.manifest.nodes import Document, Mapping, Path, Scalar, value_of
from mlplan.manifest.resolved import Value
from mlplan.manifest.unreadable import given_otherwise
from mlplan.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingType
    from collections.abc import Set as AbstractSet

    from mlplan.json_types import Json

ENVIRONMENT_PREFIX = "MLPLAN_VAR_"


class Offer(NamedTuple):
    """A value for a variable. Text that has to be read as the variable's type comes with `is_text`."""

    value: Json
    origin: str
    is_text: bool
    place: Span | None


class Variables(NamedTuple):
    """All declared variables."""

    values: dict[str, Value]  # of those that have one
    declared: dict[str, Scalar]  # their names as written
    diagnostics: list[Diagnostic]


def read_variables(
    document: Document,
    bad: AbstractSet[Path],
    offers: MappingType[str, list[Offer]],
) -> Variables:
    """The value of each declared variable, from its default and from what is offered (weakest first)."""
    found = Variables({}, {}, [])
    section = document.root.entries.get("variables")
    if section is not None and isinstance(section.value, Mapping):
        for name, entry in section.value.entries.items():
            if ("variables", name) in bad:
                continue
            found.declared[name] = entry.key
            if isinstance(entry.value, Mapping):
                _read_one(document, bad, name, entry.value, offers.get(name, []), found)
    for name, given in offers.items():
        if name not in found.declared and section_is_sound(document, bad):
            found.diagnostics.append(_undeclared(name, given[-1], found.declared))
    return found


def section_is_sound(document: Document, bad: AbstractSet[Path]) -> bool:
    """Whether the names of all variables could be read."""
    return not any(path[:1] == ("variables",) and len(path) <= 2 for path in bad)


def _read_one(
    document: Document, bad: AbstractSet[Path], name: str, node: Mapping, offers: list[Offer], found: Variables
) -> None:
    path = ("variables", name)
    if any((*path, key) in bad for key in ("type", "default")):
        return
    kind = node.entries["type"].value if "type" in node.entries else None
    wanted = str(kind.value) if isinstance(kind, Scalar) else "string"
    if "default" in node.entries:
        default = node.entries["default"].value
        offers = [Offer(value_of(default), "default", False, document.span(default)), *offers]
    if not offers:
        found.diagnostics.append(
            codes.MLP3202.diagnostic(
                f"`{name}` has no default, and no value was given for it.",
                hint=f"Give it one:\n\n    mlplan --var {name}=VALUE ...\n\nor write a `default`.",
                labels=[Label(document.span(found.declared[name]), "has no value")],
            )
        )
        return
    if any(isinstance(offer.value, str) and "${{" in offer.value for offer in offers):
        found.diagnostics.extend(
            _reference_inside(document, name, offer) for offer in offers if "${{" in str(offer.value)
        )
        return
    unread = [offer for offer in offers if offer.is_text and not is_utf8(str(offer.value))]
    if unread:
        place = document.span(found.declared[name])
        found.diagnostics.extend(given_otherwise(f"The {_origin(offer.origin)}", place) for offer in unread)
        return
    for offer in offers:  # the default counts as wrong even where another value takes its place
        value = _typed(offer, wanted)
        if value is None:
            found.diagnostics.append(_mistyped(document, name, wanted, offer, found.declared[name]))
            found.values.pop(name, None)
            return
        found.values[name] = Value(value, offer.origin)


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "number": (int, float), "integer": (int,), "boolean": (bool,),
}  # fmt: skip
_WORDS = {"string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false"}


def _typed(offer: Offer, wanted: str) -> Json:
    """The value as the type asks for it, or None where it doesn't fit."""
    value = offer.value
    if offer.is_text and wanted != "string":
        from mlplan.manifest.scalars import meaning

        value = meaning(str(value).strip()).value
    if not isinstance(value, _TYPES[wanted]) or (isinstance(value, bool) and wanted != "boolean"):
        return None
    return value


def _mistyped(document: Document, name: str, wanted: str, offer: Offer, key: Scalar) -> Diagnostic:
    shown = f'"{offer.value}"' if isinstance(offer.value, str) else str(value_text(offer.value))
    declared = Label(document.span(key), f"declared as {wanted}")
    labels = [Label(offer.place, f"expected {_WORDS[wanted]}"), declared] if offer.place else [declared]
    hint = f"Write {_WORDS[wanted]}, or declare another `type`: string, number, integer or boolean."
    if wanted == "string" and not isinstance(offer.value, (list, dict)):
        hint = f'Quote it: "{value_text(offer.value)}"; or declare its `type`: number, integer or boolean.'
    return codes.MLP3203.diagnostic(
        f"`{name}` has to be {_WORDS[wanted]}; the {_origin(offer.origin)} gives {shown}.", hint=hint, labels=labels
    )


def _reference_inside(document: Document, name: str, offer: Offer) -> Diagnostic:
    declared = document.root.entries["variables"].value
    assert isinstance(declared, Mapping), "the schema lets nothing else be given a value"
    place = offer.place or document.span(declared.entries[name].key)
    return reference_inside(f"var.{name}", _origin(offer.origin), [place])


def _origin(origin: str) -> str:
    kind, _, rest = origin.partition(" ")
    if kind == "environment":
        return f"environment's `{rest}`"
    return f"file `{rest}`" if kind == "file" else origin


def value_text(value: Json) -> str:
    """A value as YAML would show it."""
    from mlplan.manifest.references import as_text

    return as_text(value)


def _undeclared(name: str, offer: Offer, declared: MappingType[str, Scalar]) -> Diagnostic:
    near = nearest(name, declared)
    return codes.MLP3205.diagnostic(
        f"The {_origin(offer.origin)} gives a value for `{name}`, but the manifest declares no such variable.",
        hint=f"Did you mean `{near}`?" if near else f"Declare it:\n\n    variables:\n      {name}: {{type: string}}",
        labels=[Label(offer.place, "not declared")] if offer.place else [],
    )


def offers_of(
    files: list[dict[str, Offer]], environ: MappingType[str, str], command_line: MappingType[str, str]
) -> dict[str, list[Offer]]:
    """Everything that is offered, weakest first. `environ` holds `MLPLAN_VAR_` names of declared variables alone."""
    offers: dict[str, list[Offer]] = {}
    for file in files:
        for name, offer in file.items():
            offers.setdefault(name, []).append(offer)
    for key, text in environ.items():
        name = key.removeprefix(ENVIRONMENT_PREFIX)
        offers.setdefault(name, []).append(Offer(text, f"environment {key}", True, None))
    for name, text in command_line.items():
        offers.setdefault(name, []).append(Offer(text, "command line", True, None))
    return offers


def _not_variables(found: Diagnostic) -> Diagnostic:
    """What keeps a file from being read, with other words where those are of manifests."""
    if found.code != read_codes.MLP1019.code:
        return found
    return read_codes.MLP1015.diagnostic(
        "The variable file holds no mapping of names to values.",
        hint="Write one variable a line:\n\n    NAME: value",
        labels=found.labels,
    )


class FileOffers(NamedTuple):
    """What a file of variables offers."""

    source: Source
    offers: dict[str, Offer]
    diagnostics: list[Diagnostic]


def read_file(name: str, data: bytes) -> FileOffers:
    """What a file of variables (YAML or JSON, names to values) offers; one in which nothing is set offers nothing."""
    from mlplan.manifest.parse import parse

    parsed = parse(data, name)
    if parsed.document is None:
        told = [_not_variables(found) for found in parsed.diagnostics if found.code != read_codes.MLP1004.code]
        return FileOffers(parsed.source, {}, told)
    span = parsed.document.span
    offers = {
        variable: Offer(value_of(entry.value), f"file {name}", False, span(entry.value))
        for variable, entry in parsed.document.root.entries.items()
    }
    return FileOffers(parsed.source, offers, parsed.diagnostics)
