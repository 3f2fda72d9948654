"""A line of a source as a terminal shows it: tabs as spaces, nothing hidden, cut to a width around its mark."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlplan.views.terminal import cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplan.source import Span

_TAB = 4


class View(NamedTuple):
    """A source line as it is drawn, and where its mark stands, in columns of the terminal."""

    text: str
    start: int
    length: int


def view(lines: Sequence[str], span: Span, width: int) -> View:
    """The first line of a stretch of these lines, at most `width` columns of it."""
    line = lines[span.line - 1] if 0 < span.line <= len(lines) else ""
    first = min(span.column - 1, len(line))
    last = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    last = max(min(last, len(line)), first)
    before = _drawn(line[:first], 0)
    start = cells(before)
    inside = _drawn(line[first:last], start)
    length = max(cells(inside), 1)
    text = before + inside + _drawn(line[last:], start + length)
    if cells(text) <= width:
        return View(text, start, length)
    return _cut(text, start, length, width)


def marked(view: View, mark: str, text: str, room: int) -> list[str]:
    """The mark and its words; the words below it where they would stand beyond the width."""
    under = f"{' ' * view.start}{mark * view.length}"
    if not text or cells(under) + 1 + cells(text) <= room:
        return [f"{under} {text}".rstrip()]
    return [under, f"{' ' * max(0, min(view.start, room - cells(text)))}{text}"]


def _cut(text: str, start: int, length: int, width: int) -> View:
    """A long line, cut so that the start of its mark is seen."""
    begin = max(0, min(start - width // 3, cells(text) - width + 3))
    if begin:
        text, start = "..." + _from_column(text, begin + 3), start - begin
    kept = ""
    for char in text:
        if cells(kept) + cells(char) > width - 3:
            kept += "..."
            break
        kept += char
    return View(kept, start, max(min(length, width - start), 1))


def _from_column(text: str, column: int) -> str:
    at = 0
    for index, char in enumerate(text):
        if at >= column:
            return " " * (at - column) + text[index:]
        at += cells(char)
    return ""


def _drawn(text: str, column: int) -> str:
    """A piece of a line as it is drawn from a column on: tabs as spaces, what can't be seen made visible."""
    if text.isprintable():
        return text
    made = ""
    for char in text:
        if char == "\t":
            made += " " * (_TAB - (column + cells(made)) % _TAB)
        else:
            made += visible(char)
    return made


def visible(text: str) -> str:
    """Text with each character that would move the cursor or hide things made visible."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\u200d" else "\ufffd" for char in text)


def on_one_line(text: str) -> str:
    """Text as it may stand in a line."""
    return visible(text).replace("\n", " ")
