"""Diagnostics as text for people: with the marked line, or one line each.

The other forms stand beside this: `diagnostics_json.py`, `_sarif`, `_github`, `_gitlab`, `_junit`, `_markdown`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlplan.diagnostics import SEVERITIES
from mlplan.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplan.diagnostics import Diagnostic, Label, Severity

_TAB = 4
_COLORS = {"error": "31", "warning": "33", "note": "36"}
_QUIET = "34"  # gutters, secondary marks


def render_text(
    diagnostics: Sequence[Diagnostic], sources: Sequence[Source], *, color: bool = False, width: int = 80
) -> str:
    """All of them, each with its lines, and how many there are; ends in a line end. Empty for none.

    `width` counts columns: sentences are wrapped at it, long lines are cut around their mark.
    """
    if not diagnostics:
        return ""
    page = Page(sources, color=color, width=width)
    blocks = [page.block(diagnostic) for diagnostic in diagnostics]
    return "\n\n".join([*blocks, counts(diagnostics)]) + "\n"


def render_concise(diagnostics: Sequence[Diagnostic]) -> str:
    """One line each: `mlplan.yaml:27:14: error[MLP3104] Unknown compute: ...`."""
    return "".join(f"{concise_line(diagnostic)}\n" for diagnostic in diagnostics)


def concise_line(diagnostic: Diagnostic) -> str:
    """One diagnostic on one line."""
    where = f"{_plain(str(diagnostic.span))}: " if diagnostic.span else ""
    detail = " ".join(diagnostic.detail.split())
    return f"{where}{diagnostic.severity}[{diagnostic.code}] {diagnostic.summary}: {printable(detail)}"


def counts(diagnostics: Sequence[Diagnostic]) -> str:
    """How many there are, such as `2 errors, 1 warning`, and where to read on."""
    numbers = []
    for severity in SEVERITIES:
        count = sum(diagnostic.severity == severity for diagnostic in diagnostics)
        if count:
            numbers.append(f"{count} {severity}{'s' if count > 1 else ''}")
    worst = min(diagnostics, key=lambda diagnostic: SEVERITIES.index(diagnostic.severity))
    return f"{', '.join(numbers)}. To read more: mlplan explain {worst.code}"


def printable(text: str) -> str:
    """Text with each character that would move the cursor or hide things made visible."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\u200d" else "\ufffd" for char in text)


def _plain(text: str) -> str:
    """Text as it may stand in a line."""
    return printable(text).replace("\n", " ")


class Page:
    """Draws diagnostics with what all of them share: the lines, the colour, the width."""

    def __init__(self, sources: Sequence[Source], *, color: bool = False, width: int = 80) -> None:
        self._lines = {source.file: source.lines() for source in sources}
        self._color = color
        self._width = max(width, 40)

    def block(self, diagnostic: Diagnostic) -> str:
        """One diagnostic, without a line end."""
        head = self._paint(f"{diagnostic.severity}[{diagnostic.code}]", _COLORS[diagnostic.severity], bold=True)
        rows = [f"{head}{self._paint(f': {diagnostic.summary}', '', bold=True)}"]
        if diagnostic.labels:
            rows += self._excerpts(diagnostic.labels, diagnostic.severity)
        rows += ["", *self._sentences(printable(diagnostic.detail), "")]
        if diagnostic.hint:
            rows += ["", *self._sentences(printable(diagnostic.hint), "hint: ")]
        return "\n".join(rows)

    def _excerpts(self, labels: Sequence[Label], severity: Severity) -> list[str]:
        """The marked lines, the primary one first; a line that carries several marks is shown once."""
        gutter = max(len(str(label.span.line)) for label in labels)
        rows = [f"{' ' * gutter}{self._paint('-->', _QUIET)} {_plain(str(labels[0].span))}"]
        bar = self._paint(f"{' ' * gutter} |", _QUIET)
        shown: tuple[str, int] | None = None
        for index, label in enumerate(labels):
            span = label.span
            if span.file not in self._lines:
                continue
            mark = "-" if index else "^"
            view = _view(self._lines[span.file], span, self._width - gutter - 3)
            if shown != (span.file, span.line):
                if shown and span.file != shown[0]:
                    rows.append(f"{' ' * gutter}{self._paint('-->', _QUIET)} {_plain(str(span))}")
                rows += [bar, self._paint(f"{span.line:>{gutter}} |", _QUIET) + f" {view.text}".rstrip()]
            shown = (span.file, span.line)
            color = _QUIET if index else _COLORS[severity]
            room = self._width - gutter - 3
            for words in _marked(view, mark, _plain(label.text), room):
                rows.append(f"{bar} {self._paint(words, color)}")
        return rows

    def _sentences(self, text: str, lead: str) -> list[str]:
        """Wrapped text; indented lines are commands and stay as they are."""
        import textwrap

        rows: list[str] = []
        for line in text.split("\n"):
            start = lead if not rows else ""
            if line.startswith("    ") or not line.strip():
                rows.append(line.rstrip())
            else:
                rows += textwrap.wrap(start + line, self._width, break_long_words=False, break_on_hyphens=False) or [
                    start
                ]
        if lead and rows:
            rows[0] = self._paint(lead.strip(), "", bold=True) + rows[0][len(lead.strip()) :]
        return rows

    def _paint(self, text: str, color: str, *, bold: bool = False) -> str:
        if not self._color:
            return text
        style = ";".join(part for part in ("1" if bold else "", color) if part)
        return f"\x1b[{style}m{text}\x1b[0m" if style else text


def _marked(view: _View, mark: str, text: str, room: int) -> list[str]:
    """The mark and its words; the words below it where they would stand beyond the width."""
    under = f"{' ' * view.start}{mark * view.length}"
    if not text or columns(under) + 1 + columns(text) <= room:
        return [f"{under} {text}".rstrip()]
    return [under, f"{' ' * max(0, min(view.start, room - columns(text)))}{text}"]


class _View(NamedTuple):
    """A source line as it is drawn, and where its mark stands, in columns of the terminal."""

    text: str
    start: int
    length: int


def _view(lines: list[str], span: Span, width: int) -> _View:
    line = lines[span.line - 1] if 0 < span.line <= len(lines) else ""
    first = min(span.column - 1, len(line))
    last = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    last = max(min(last, len(line)), first)
    before, marked, after = _drawn(line[:first], 0), line[first:last], line[last:]
    start = columns(before)
    marked = _drawn(marked, start)
    length = max(columns(marked), 1)
    text = before + marked + _drawn(after, start + length)
    if columns(text) <= width:
        return _View(text, start, length)
    return _cut(text, start, length, width)


def _cut(text: str, start: int, length: int, width: int) -> _View:
    """A long line, cut so that the start of its mark is seen."""
    begin = max(0, min(start - width // 3, columns(text) - width + 3))
    if begin:
        text, start = "..." + _from_column(text, begin + 3), start - begin
    kept = ""
    for char in text:
        if columns(kept) + _width_of(char) > width - 3:
            kept += "..."
            break
        kept += char
    return _View(kept, start, max(min(length, width - start), 1))


def _from_column(text: str, column: int) -> str:
    at = 0
    for index, char in enumerate(text):
        if at >= column:
            return " " * (at - column) + text[index:]
        at += _width_of(char)
    return ""


def _drawn(text: str, column: int) -> str:
    """A piece of a line as it is drawn from a column on: tabs as spaces, what can't be seen made visible."""
    if text.isprintable():
        return text
    made = ""
    for char in text:
        if char == "\t":
            made += " " * (_TAB - (column + columns(made)) % _TAB)
        else:
            made += printable(char)
    return made


def columns(text: str) -> int:
    """How many columns a terminal takes for a text."""
    return len(text) if text.isascii() else sum(_width_of(char) for char in text)


def _width_of(char: str) -> int:
    import unicodedata

    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
