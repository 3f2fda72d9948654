"""Fills a checked document in: variables and environment by value, references bound to what they name.

What comes back are drafts: specs with holes where something is wrong, so that `validate.py` can look at the rest and
everything is reported at once. `finish` makes the resolved specs of drafts that are whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.address import KINDS, Address, parse_address
from mlplan.codes import meaning as codes
from mlplan.codes import read as read_codes
from mlplan.diagnostics import Diagnostic, Label, nearest
from mlplan.manifest import wording
from mlplan.manifest.nodes import Document, Mapping, Node, Path, Scalar, at
from mlplan.manifest.references import ATTRIBUTES, VALUES, Mention, as_text, find, substitute
from mlplan.manifest.resolved import Reference, Value
from mlplan.manifest.scalars import SURPRISES
from mlplan.source import Span

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingType

    from mlplan.codes import Code
    from mlplan.json_types import Json
    from mlplan.manifest.check import Checked

TEXT_FIELDS = frozenset({"arguments", "command", "env", "tags", "properties"})
"""Fields of texts: a number in them is taken as it is written."""
NAMING = {
    ("run", "compute"): "compute",
    ("deployment", "compute"): "compute",
    ("deployment", "inference"): "inference",
    ("deployment", "models"): "model",
    ("model", "run"): "run",
}
"""Fields that name a resource, and its kind."""
BOUND = {
    ("run", "arguments"): (*ATTRIBUTES,),
    ("run", "command"): (*ATTRIBUTES,),
    ("run", "env"): (*ATTRIBUTES, "secret"),
    ("inference", "env"): (*ATTRIBUTES, "secret"),
}
"""Fields in which what is known only later may be mentioned; all else has to be known beforehand."""
UNKNOWN_NAMED = {
    "compute": codes.MLP3104,
    "run": codes.MLP3105,
    "model": codes.MLP3106,
    "inference": codes.MLP3107,
}


class Draft(NamedTuple):
    """One resource on its way."""

    address: Address
    key: Scalar  # its name
    spec: dict[str, Any]  # filled; None stands for what is written but wrong
    references: tuple[Reference, ...]
    whole: bool  # nothing is wrong with it so far


class Drafts(NamedTuple):
    """All resources, and what filling them in found."""

    drafts: dict[Address, Draft]
    workspace: str
    project: str
    secrets: frozenset[str]
    consulted: dict[str, str | None]  # environment variables that were read, with their values
    places: dict[str, Span]
    filled: set[Path]  # values with something filled in
    diagnostics: list[Diagnostic]


class _Hole(NamedTuple):
    """Stands for a value that is wrong: whatever holds it leaves it out."""


_HOLE: Any = _Hole()


def fill(
    document: Document,
    checked: Checked,
    values: MappingType[str, Value],
    environ: MappingType[str, str],
    known: set[str],
) -> Drafts:
    """The drafts of a checked document. `known` are all declared variables, those without a value too."""
    filler = _Filler(document, checked, values, environ, known)
    drafts = {address: filler.draft(address, key, node) for address, (key, node) in filler.declared.items()}
    workspace, project = filler.top("workspace") or ".mlplan", filler.top("project")
    filler.note_use_in_profiles()
    unused = [name for name in known if name not in filler.used]
    filler.diagnostics += [_unused(document, name) for name in unused]
    return Drafts(
        drafts,
        workspace,
        project,
        frozenset(filler.secrets),
        filler.consulted,
        filler.places,
        filler.filled,
        filler.diagnostics,
    )


class _Filler:
    def __init__(
        self,
        document: Document,
        checked: Checked,
        values: MappingType[str, Value],
        environ: MappingType[str, str],
        known: set[str],
    ) -> None:
        self.document = document
        self.checked = checked
        self.values = values
        self.environ = environ
        self.known = known
        self.declared = _declared(document.root)
        self.used: set[str] = set()
        self.secrets: set[str] = set()
        self.consulted: dict[str, str | None] = {}
        self.places: dict[str, Span] = {}
        self.diagnostics: list[Diagnostic] = []
        self.filled: set[Path] = set()
        self._lines = document.source.lines()
        self._references: list[Reference] = []
        self._sound = True  # of the resource in hand
        self._meant: dict[Path, list[str]] = {}
        for meant in checked.meant:
            self._meant.setdefault(meant[:-1], []).append(str(meant[-1]))
        self._broken = {path[:2] for path in (*checked.bad, *checked.incomplete)}

    def draft(self, address: Address, key: Scalar, node: Node) -> Draft:
        self._references = []
        path = (address.kind, address.name)
        self._sound = path not in self._broken and (address.kind,) not in self.checked.bad
        self.places[f"{address}"] = self.document.span(key)
        filled = self._node(node, path, address)
        spec = filled if isinstance(filled, dict) else {}
        if address.kind == "dataset" and isinstance(spec.get("source"), str):
            spec["source"] = [spec["source"]]
        return Draft(address, key, spec, tuple(self._references), self._sound)

    def top(self, name: str) -> str:
        """The value of a key at the top that holds text; "" where there is none."""
        entry = self.document.root.entries.get(name)
        if entry is None or (name,) in self.checked.bad:
            return ""
        self.places[name] = self.document.span(entry.value)
        value = self._node(entry.value, (name,), None)
        if value is _HOLE:
            return ""
        if not isinstance(value, str) or not value or (name == "project" and parse_address(f"run.{value}") is None):
            self.diagnostics.append(
                codes.MLP3208.diagnostic(
                    f"`{name}` becomes `{as_text(value)}`; it has to be {'a name' if name == 'project' else 'text'}.",
                    hint="Give another value.",
                    labels=[Label(self.document.span(entry.value), "doesn't fit")],
                )
            )
        return str(value)

    def note_use_in_profiles(self) -> None:
        """A variable that only another profile uses is used."""
        profiles = self.document.root.entries.get("profiles")
        waiting = [profiles.value] if profiles else []
        while waiting:
            node = waiting.pop()
            if isinstance(node, Scalar):
                if isinstance(node.value, str):
                    self.used.update(mention.name for mention in find(node.value) if mention.scope == "var")
            elif isinstance(node, Mapping):
                waiting += [entry.value for entry in node.entries.values()]
            else:
                waiting += node.items

    def _node(self, node: Node, path: Path, address: Address | None) -> Any:
        if path in self.checked.bad:
            return _HOLE
        if isinstance(node, Scalar):
            return self._scalar(node, path, address)
        if isinstance(node, Mapping):
            made: dict[str, Any] = {}
            for key, entry in node.entries.items():
                inner = (*path, key)
                self.places[_dotted(inner)] = self.document.span(
                    entry.value if isinstance(entry.value, Scalar) else entry.key
                )
                value = self._node(entry.value, inner, address)
                made[key] = None if value is _HOLE else value
            for missing in self._meant.get(path, ()):
                made.setdefault(missing, None)
            return made
        items = []
        for index, item in enumerate(node.items):
            inner = (*path, index)
            self.places[_dotted(inner)] = self.document.span(item)
            value = self._node(item, inner, address)
            items.append(None if value is _HOLE else value)  # so that the others keep their index
        return items

    def _scalar(self, node: Scalar, path: Path, address: Address | None) -> Any:
        is_text = len(path) > 3 and path[2] in TEXT_FIELDS
        if not isinstance(node.value, str):
            return self._as_written(node, path) if is_text else node.value
        if "${{" not in node.value:
            self._bind_name(node.value, node, path, address)
            return node.value
        value = self._filled(node, node.value, path, address)
        self.filled.add(path)
        if value is _HOLE:
            self._sound = False
        elif is_text:
            return as_text(value)
        elif isinstance(value, str):
            self._bind_name(value, node, path, address)
        return value

    def _as_written(self, node: Scalar, path: Path) -> str:
        if node.surprise and not (node.surprise == "zero" and path[2] in ("arguments", "command")):
            self.diagnostics.append(surprise(self.document, node, node.text))
        return node.text

    def _filled(self, node: Scalar, text: str, path: Path, address: Address | None) -> Any:
        mentions = find(text)
        spans = self._spans(node, text, mentions)
        resolved: dict[Mention, Json] = {}
        for mention, span in zip(mentions, spans, strict=True):
            value = self._value(mention, span, text, path, address)
            if value is _HOLE:
                resolved = {}
                text = ""
                continue
            resolved[mention] = value
        return substitute(text, resolved.__getitem__) if text else _HOLE

    def _value(self, mention: Mention, span: Span, text: str, path: Path, address: Address | None) -> Any:
        """The value of a mention, its own text where that comes later, or a hole where it is wrong."""
        if mention.scope == "var" and not mention.attribute:
            return self._variable(mention, span, address)
        if mention.scope == "env" and not mention.attribute:
            return self._environment(mention, span, address)
        if mention.scope in KINDS or (mention.scope == "secret" and not mention.attribute):
            problem = self._problem(mention, span, path, address)
            if problem is None:
                return text[mention.start : mention.end]
            self.diagnostics.append(problem)
            return _HOLE
        self.used.update(name for name in self.known if name in text)  # it may be what was meant
        self.diagnostics.append(_malformed(mention, text, span, address))
        return _HOLE

    def _variable(self, mention: Mention, span: Span, address: Address | None) -> Any:
        self.used.add(mention.name)
        value = self.values.get(mention.name)
        if value is not None:
            return value.value
        if mention.name not in self.known:
            near = nearest(mention.name, self.known)
            self.used.update([near] if near else [])
            self.diagnostics.append(
                codes.MLP3201.diagnostic(
                    f"`var.{mention.name}` isn't declared under `variables:`.",
                    hint=f"Did you mean `var.{near}`?"
                    if near
                    else f"Declare it:\n\n    variables:\n      {mention.name}: {{type: string}}",
                    labels=[Label(span, "not declared")],
                    address=address,
                )
            )
        return _HOLE

    def _environment(self, mention: Mention, span: Span, address: Address | None) -> Any:
        value = self.environ.get(mention.name)
        self.consulted[mention.name] = value
        if value is not None:
            return value
        near = nearest(mention.name, self.environ)
        self.diagnostics.append(
            codes.MLP3206.diagnostic(
                f"The environment has no variable `{mention.name}`.",
                hint=f"Set it, for example:\n\n    export {mention.name}=..."
                + (f"\n\nOr did you mean `env.{near}`?" if near else ""),
                labels=[Label(span, "not set")],
                address=address,
            )
        )
        return _HOLE

    def _problem(self, mention: Mention, span: Span, path: Path, address: Address | None) -> Diagnostic | None:
        """What is wrong with a mention of a resource or a secret; where nothing is, it is noted."""
        if mention.scope != "secret":
            named = Address(mention.scope, mention.name)
            if named not in self.declared:
                return self._unknown(named, span, address)
            if not _has_attribute(mention):
                return _unknown_attribute(mention, span, address)
        if mention.scope not in BOUND.get((str(path[0]), str(path[2]) if len(path) > 2 else ""), ()):
            return _out_of_place(mention, span, path, address)
        if mention.scope == "secret":
            self.secrets.add(mention.name)
        else:
            self._references.append(Reference(Address(mention.scope, mention.name), mention.attribute, span))
        return None

    def _bind_name(self, value: str, node: Scalar, path: Path, address: Address | None) -> None:
        """Notes a field's value as a reference, where the field names a resource."""
        if address is None or len(path) < 3:
            return
        kind = NAMING.get((address.kind, str(path[2])))
        if kind is None:
            return
        named = Address(kind, value.partition(":")[0])
        span = self.document.span(node)
        if named in self.declared:
            self._references.append(Reference(named, "", span))
        elif (kind,) not in self.checked.bad:
            self.diagnostics.append(self._unknown(named, span, address, UNKNOWN_NAMED[kind]))
            self._sound = False

    def _unknown(self, named: Address, span: Span, address: Address | None, code: Code = codes.MLP3101) -> Diagnostic:
        same_kind = {other.name: other for other in self.declared if other.kind == named.kind}
        near = nearest(named.name, same_kind)
        labels = [Label(span, f"no {named.kind} has this name")]
        hint = f"Declare it under `{named.kind}:`."
        if near:
            labels.append(
                Label(self.document.span(self.declared[same_kind[near]][0]), "a similar name is declared here")
            )
            hint = f"Did you mean `{near}`?"
        elif same_kind:
            hint = f"Declared are: {', '.join(f'`{name}`' for name in sorted(same_kind))}."
        return code.diagnostic(
            f"The manifest declares no {named.kind} `{named.name}`.", hint=hint, labels=labels, address=address
        )

    def _spans(self, node: Scalar, text: str, mentions: list[Mention]) -> list[Span]:
        """Where the mentions stand in the file; the whole value where escapes hide that."""
        line, column, end_line, end_column = node.place
        spans = []
        for mention in mentions:
            written = text[mention.start : mention.end]
            whole = self.document.span(node)
            while line <= end_line:
                row = self._lines[line - 1]
                end = end_column - 1 if line == end_line else len(row)
                found = row.find(written, column - 1, end)
                if found >= 0:
                    column = found + len(written) + 1
                    whole = Span(whole.file, line, found + 1, line, column)
                    break
                line, column = line + 1, 1
            spans.append(whole)
        return spans


def _declared(root: Mapping) -> dict[Address, tuple[Scalar, Node]]:
    """Every resource of the document, in the order of the file."""
    found: dict[Address, tuple[Scalar, Node]] = {}
    for kind, section in root.entries.items():
        if kind in KINDS and isinstance(section.value, Mapping):
            for name, entry in section.value.entries.items():
                found[Address(kind, name)] = (entry.key, entry.value)
    return found


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path)


def _has_attribute(mention: Mention) -> bool:
    known = ATTRIBUTES.get(mention.scope, ())
    if mention.attribute.startswith("metrics."):
        return "metrics.NAME" in known and len(mention.attribute) > len("metrics.")
    return mention.attribute in known and mention.attribute != "metrics.NAME"


def _unknown_attribute(mention: Mention, span: Span, address: Address | None) -> Diagnostic:
    known = ATTRIBUTES.get(mention.scope, ())
    named = f"{mention.scope}.{mention.name}"
    near = nearest(mention.attribute, known)
    listed = ", ".join(f"`{named}.{name}`" for name in known)
    what = f"`{mention.attribute}`" if mention.attribute else "that names no attribute"
    return codes.MLP3102.diagnostic(
        f"`{named}` tells nothing by {what}.",
        hint=f"Did you mean `{named}.{near}`?"
        if near
        else f"What it tells: {listed}."
        if listed
        else f"A {mention.scope} tells nothing.",
        labels=[Label(span, "no such attribute")],
        address=address,
    )


def _malformed(mention: Mention, text: str, span: Span, address: Address | None) -> Diagnostic:
    scopes = (*VALUES, *ATTRIBUTES)
    written = text[mention.start : mention.end]
    word = (mention.scope or mention.name).partition(".")[0].strip()
    near = nearest(word, (scope for scope in scopes if scope != word))
    forms = "`var.NAME`, `env.NAME`, `secret.NAME`, or a resource's attribute such as `dataset.NAME.path`"
    if not written.endswith("}}"):
        detail, hint = f"`{written[:60]}` isn't closed.", "Close it with `}}`."
    else:
        detail = f"`{written[:60]}` is no reference. Between the braces stands one name, and nothing is computed."
        hint = f"Did you mean `{near}{written[3:-2].strip()[len(word) :]}`?" if near else f"Write {forms}."
    return codes.MLP3103.diagnostic(detail, hint=hint, labels=[Label(span, "no reference")], address=address)


def _out_of_place(mention: Mention, span: Span, path: Path, address: Address | None) -> Diagnostic:
    field = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    if mention.scope == "secret":
        detail = f"A secret can't be used in `{field}`: there it would be recorded, or shown to others."
        hint = "Secrets may stand in the `env` of a run or an inference; read it from the environment there."
    else:
        detail = (
            f"`{field}` has to be known before anything runs, and "
            f"`{mention.scope}.{mention.name}.{mention.attribute}` is known only then."
        )
        hint = (
            "Resources' attributes may stand in a run's `arguments`, `command` and `env`, and an inference's `env`."
        )
    return codes.MLP3109.diagnostic(detail, hint=hint, labels=[Label(span, "not here")], address=address)


def _unused(document: Document, name: str) -> Diagnostic:
    variables = document.root.entries["variables"].value
    assert isinstance(variables, Mapping)
    return codes.MLP3204.diagnostic(
        f"Nothing uses `var.{name}`.",
        hint=f"Use it as `${{{{ var.{name} }}}}`, or delete it.",
        labels=[Label(document.span(variables.entries[name].key), "not used")],
    )


def surprise(document: Document, node: Scalar, taken: Json) -> Diagnostic:
    """The warning about a scalar that others read differently; `taken` is what it is taken for here."""
    mark, elsewhere = SURPRISES[node.surprise]
    hint = f'Quote it, so that all agree: "{node.text}".'
    if not isinstance(taken, str):
        hint = f"Write {taken}, or quote it if it is text."
    return read_codes.MLP1013.diagnostic(
        f"`{node.text}` is the {'text' if isinstance(taken, str) else 'number'} {taken} here, but {elsewhere}.",
        hint=hint,
        labels=[Label(document.span(node), mark)],
    )


class Finished(NamedTuple):
    """The resolved spec of each draft that is whole and fits."""

    specs: dict[Address, dict[str, Any]]
    diagnostics: list[Diagnostic]


def finish(document: Document, drafts: Drafts, values: MappingType[str, Value]) -> Finished:
    """Checks what was filled in, and adds the defaults. What doesn't fit becomes a hole in its draft."""
    from pydantic import ValidationError

    from mlplan.manifest.models import SECTIONS, compute_models

    models = {**compute_models(), **SECTIONS}
    touched = {path[:2] for path in drafts.filled}
    specs: dict[Address, dict[str, Any]] = {}
    diagnostics: list[Diagnostic] = []
    for address, draft in drafts.drafts.items():
        model = models.get(str(draft.spec.get("type")) if address.kind == "compute" else address.kind)
        if model is None or not (draft.whole or address in touched):
            continue
        try:
            made = model.model_validate(draft.spec).model_dump(by_alias=True)
            if draft.whole:
                specs[address] = made
        except ValidationError as error:
            drafts.drafts[address] = draft._replace(whole=False)
            for problem in error.errors():
                path = _written_path(document, address, problem["loc"])
                if draft.whole or (path in drafts.filled and problem["input"] is not None):
                    diagnostics.append(_unfit(document, address, path, problem, values))
                    _make_hole(draft.spec, problem["loc"])
    return Finished(specs, diagnostics)


def _written_path(document: Document, address: Address, loc: tuple[str | int, ...]) -> Path:
    """The path of what pydantic speaks of, as far as it is written."""
    path: Path = tuple(address)
    for step in loc:
        try:
            at(document.root, (*path, step))
        except (KeyError, IndexError):
            break
        path = (*path, step)
    return path


def _make_hole(spec: Any, loc: tuple[str | int, ...]) -> None:
    for step in loc[:-1]:
        spec = spec[step]
    spec[loc[-1]] = None


def _unfit(
    document: Document, address: Address, path: Path, problem: Any, values: MappingType[str, Value]
) -> Diagnostic:
    node = at(document.root, path)
    text = node.text if isinstance(node, Scalar) else ""
    origins = [
        f"`var.{mention.name}` comes from the {values[mention.name].origin}"
        for mention in find(text)
        if mention.scope == "var" and mention.name in values
    ]
    shown = as_text(problem["input"]) if isinstance(problem["input"], (str, int, float)) else "a list or mapping"
    return codes.MLP3208.diagnostic(
        f"`{wording.name(path)}` becomes `{shown}`; it has to be {wording.unfit(problem)}.",
        hint=f"Give another value: {'; '.join(origins)}." if origins else "Give another value.",
        labels=[Label(document.span(node), f"becomes {shown[:40]}")],
        address=address,
    )
