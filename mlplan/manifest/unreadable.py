"""Words for text that is no manifest at all: what the YAML reader refused, and what it was never given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlplan.codes import read as codes
from mlplan.diagnostics import Diagnostic, Label
from mlplan.manifest.nodes import Items, Node
from mlplan.source import Source, Span

if TYPE_CHECKING:
    import yaml

    from mlplan.address import Address


def not_utf8(source: Source, data: bytes, error: UnicodeDecodeError) -> Diagnostic:
    """Bytes that are no UTF-8; `source` shows them as far as they are."""
    utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    what = "It looks like UTF-16." if utf16 else f"Byte 0x{data[error.start]:02x} starts no character."
    before = len(data[: error.start].decode("utf-8"))
    return codes.MLP1003.diagnostic(
        f"A manifest is UTF-8 text, and this file isn't. {what}",
        hint="Save it as UTF-8 in your editor.",
        labels=[Label(_offset(source, before), "not UTF-8 from here on")],
    )


def given_otherwise(what: str, span: Span | None = None, address: Address | None = None) -> Diagnostic:
    """Text from the command line, the environment or the file system that is no UTF-8; `span` is where it is used."""
    return codes.MLP1020.diagnostic(
        f"{what} holds bytes that are no UTF-8 text.",
        hint="Give it anew, in UTF-8.",
        labels=[Label(span, "what it would fill in")] if span else [],
        address=address,
    )


def forbidden_character(source: Source, offset: int) -> Diagnostic:
    """A character that YAML has no place for."""
    return codes.MLP1014.diagnostic(
        f"U+{ord(source.text[offset]):04X} is a control character. YAML has no place for it.",
        hint="Delete it. Inside a quoted string it can be written as an escape.",
        labels=[Label(_offset(source, offset), "can't be seen, but is here")],
    )


def empty(source: Source) -> Diagnostic:
    """A file with nothing in it."""
    return codes.MLP1004.diagnostic(
        "The file holds nothing but comments and blank lines." if source.text.strip() else "The file is empty.",
        hint="Start with these two lines:\n\n    version: 1\n    project: my-project",
        labels=[Label(_point(source, 1, 1, 0), "nothing here")],
    )


def no_mapping(source: Source, root: Node) -> Diagnostic:
    """A file that holds something else than a mapping."""
    what = "a list" if isinstance(root, Items) else "a single value"
    return codes.MLP1019.diagnostic(
        f"The file holds {what}; a manifest is a mapping of keys such as `version` and `project`.",
        hint="Start with these two lines:\n\n    version: 1\n    project: my-project",
        labels=[Label(_point(source, root.place[0], root.place[1]), what)],
    )


def syntax(source: Source, error: yaml.MarkedYAMLError) -> Diagnostic:
    """What the YAML reader refused, in our words."""
    mark = error.problem_mark or error.context_mark
    span = _point(source, mark.line + 1, mark.column + 1) if mark else _point(source, 1, 1)
    line = source.line(span.line)
    if error.context_mark is not None and str(error.context) == "while scanning an alias":
        return _no_alias(source, error.context_mark)
    tab = line.find("\t")
    if tab >= 0 and not line[:tab].strip(" -\t"):
        return codes.MLP1006.diagnostic(
            "A tab stands where the line is indented. YAML indents by spaces, so the depth can't be told.",
            hint="Replace it by spaces.",
            labels=[Label(_point(source, span.line, tab + 1), "a tab")],
        )
    problem = _PROBLEMS.get(str(error.problem), str(error.problem or "it ends too early"))
    labels = [Label(span, problem)]
    if error.context and error.context_mark is not None:
        start = _point(source, error.context_mark.line + 1, error.context_mark.column + 1)
        if "unexpected end" in str(error.problem):
            labels = [Label(start, "opened here")]
        elif start.line != span.line:
            labels.append(Label(start, _CONTEXTS.get(str(error.context), str(error.context))))
    return codes.MLP1005.diagnostic(
        f"The text can't be read as YAML: {problem}.",
        hint=_syntax_hint(line, str(error.problem)),
        labels=labels,
    )


_PROBLEMS = {
    "mapping values are not allowed in this context": "a colon would make a key here, where none can stand",
    "did not find expected key": "a key was expected here",
    "could not find expected ':'": "a key was expected here, and its colon is missing",
    "found unexpected end of stream": "a quote is never closed",
    "did not find expected ',' or ']'": "a comma or a closing bracket is missing before this",
    "did not find expected ',' or '}'": "a comma or a closing brace is missing before this",
    "did not find expected '-' indicator": "another item of the list was expected here",
    "found character that cannot start any token": "no value can start with this character",
    "did not find expected node content": "a value was expected here",
}
_CONTEXTS = {
    "while parsing a block mapping": "in the mapping that starts here",
    "while parsing a block collection": "in the list that starts here",
    "while parsing a flow mapping": "in the braces that open here",
    "while parsing a flow sequence": "in the brackets that open here",
    "while scanning a simple key": "in what starts here",
    "while scanning a quoted scalar": "in the quotes that open here",
}
"""The YAML reader's words in ours."""


def _no_alias(source: Source, mark: Any) -> Diagnostic:
    span = _point(source, mark.line + 1, mark.column + 1)
    return codes.MLP1018.diagnostic(
        "A star at the start of a value repeats what an anchor marks, but no anchor's name follows it.",
        hint='Quote it if it is text, such as a pattern of files: "*.csv".',
        labels=[Label(span, "no anchor's name follows")],
    )


def _syntax_hint(line: str, problem: str) -> str:
    if "${{" in line and "${{" in line.replace('"${{', "").replace("'${{", ""):
        return 'Inside [ ] and { }, quote references: "${{ var.name }}".'
    if "mapping values are not allowed" in problem:
        return "Quote the value if it holds a colon followed by a space, or check the indentation of this line."
    if "cannot start any token" in problem:
        return "Quote the value: it starts with a character that has a meaning in YAML."
    return "Check the indentation, and that every quote and bracket is closed."


def _point(source: Source, line: int, column: int, width: int = 1) -> Span:
    """A span of up to `width` characters at a place, drawn inside the file."""
    lines = source.lines()
    line = min(max(line, 1), max(len(lines), 1))
    length = len(lines[line - 1]) if lines else 0
    column = min(max(column, 1), length + 1)
    return Span(source.file, line, column, line, min(column + width, length + 1))


def _offset(source: Source, offset: int) -> Span:
    before = Source(source.file, source.text[:offset] + ".").lines()
    return _point(source, len(before), len(before[-1]))
