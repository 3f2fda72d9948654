"""Fills a checked document in: variables and environment by value, references bound to what they name.

What comes back are drafts: specs with holes where something is wrong, so that `validate.py` can look at the rest and
everything is reported at once. What is told about a reference stands in `misreferences.py`; `resolve.py` makes
the resolved specs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.address import KINDS, Address, parse_address
from mlplan.codes import meaning as codes
from mlplan.diagnostics import Diagnostic, Label, has_errors, nearest
from mlplan.json_types import is_utf8
from mlplan.manifest import misreferences as tell
from mlplan.manifest.nodes import Document, Mapping, Node, Path, Scalar
from mlplan.manifest.references import ATTRIBUTES, Mention, as_text, find, has_attribute, substitute
from mlplan.manifest.resolved import Reference, Value
from mlplan.manifest.unreadable import given_otherwise
from mlplan.source import Span

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingType

    from mlplan.codes import Code
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
    ("dataset", "source"): ("secret",),
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
    workspace: str  # "" where it is wrong
    project: str  # "" where it is wrong, or isn't written
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
    project = filler.top("project")
    workspace = filler.top("workspace") if "workspace" in document.root.entries else ".mlplan"
    filler.note_use_in_profiles()
    understood = not has_errors(checked.diagnostics)  # else what uses a variable may be what wasn't
    unused = [name for name in known if name not in filler.used and understood]
    filler.diagnostics += [tell.unused_variable(document, name) for name in unused]
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
        self._known: dict[str, dict[str, Span]] = {}  # by kind, for what is misspelt
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
        """The value of a key at the top that holds text; "" where there is none, or one that is wrong."""
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
            return ""
        return value

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
        if value is _HOLE:
            self._sound = False
        elif is_text:
            return as_text(value)
        elif isinstance(value, str):
            self._bind_name(value, node, path, address)
        return value

    def _as_written(self, node: Scalar, path: Path) -> str:
        if node.surprise and not (node.surprise == "zero" and path[2] in ("arguments", "command")):
            self.diagnostics.append(tell.surprise(self.document, node, node.text))
        return node.text

    def _filled(self, node: Scalar, text: str, path: Path, address: Address | None) -> Any:
        mentions = find(text)
        spans = self._spans(node, text, mentions)
        values = {
            mention: self._value(mention, span, text, path, address)
            for mention, span in zip(mentions, spans, strict=True)
        }
        if any(value is _HOLE for value in values.values()):
            return _HOLE
        if any(mention.scope in ("var", "env") for mention in mentions):
            self.filled.add(path)
        made = substitute(text, values.__getitem__)
        later = [value for mention, value in values.items() if mention.scope not in ("var", "env")]
        if isinstance(made, str) and [made[left.start : left.end] for left in find(made)] != later:
            self.diagnostics.append(tell.reference_made(spans, address))  # "$" and "{{" from two values
            return _HOLE
        return made

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
        self.diagnostics.append(tell.malformed(mention, text, span, address))
        return _HOLE

    def _variable(self, mention: Mention, span: Span, address: Address | None) -> Any:
        self.used.add(mention.name)
        if mention.name in self.values:
            return self.values[mention.name].value
        if mention.name not in self.known:
            near = nearest(mention.name, self.known)
            self.used.update([near] if near else [])  # it may be what was meant
            self.diagnostics.append(tell.undeclared_variable(mention, near, span, address))
        return _HOLE

    def _environment(self, mention: Mention, span: Span, address: Address | None) -> Any:
        value = self.environ.get(mention.name)
        self.consulted[mention.name] = value
        if value is None:
            self.diagnostics.append(tell.not_set(mention, nearest(mention.name, self.environ), span, address))
            return _HOLE
        if "${{" in value:
            self.diagnostics.append(tell.reference_inside(f"env.{mention.name}", "environment", [span], address))
            return _HOLE
        if not is_utf8(value):
            self.diagnostics.append(given_otherwise(f"The environment's `{mention.name}`", span, address))
            return _HOLE
        return value

    def _problem(self, mention: Mention, span: Span, path: Path, address: Address | None) -> Diagnostic | None:
        """What is wrong with a mention of a resource or a secret; where nothing is, it is noted."""
        if mention.scope != "secret":
            named = Address(mention.scope, mention.name)
            if named not in self.declared:
                return self._unknown(named, span, address)
            if not has_attribute(mention):
                return tell.unknown_attribute(mention, span, address)
        if mention.scope not in BOUND.get((str(path[0]), str(path[2]) if len(path) > 2 else ""), ()):
            return tell.out_of_place(mention, span, path, address)
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
        if named.kind not in self._known:
            self._known[named.kind] = {
                other.name: self.document.span(key)
                for other, (key, _) in self.declared.items()
                if other.kind == named.kind
            }
        return tell.unknown_resource(code, named, self._known[named.kind], span, address)

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
