"""Styled text for a terminal: pieces with a style, wrapped to a width, painted or plain. Knows no plan, no event."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

STYLES: Mapping[str, str] = {
    "": "",
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "bold red": "1;31",
    "bold green": "1;32",
    "bold yellow": "1;33",
}
"""Styles by name, as the parameters of the escape sequence; the names are also rich's."""


class Piece(NamedTuple):
    """A stretch of text in one style."""

    text: str
    style: str = ""


Line = tuple[Piece, ...]


def line(*parts: str | tuple[str, str]) -> Line:
    """A line of pieces given as text or (text, style); empty ones are left out."""
    pieces = [Piece(part) if isinstance(part, str) else Piece(*part) for part in parts]
    return tuple(piece for piece in pieces if piece.text)


def cells(text: str) -> int:
    """How many columns the text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width  # only for text beyond ASCII

    return sum(0 if category(c) in ("Mn", "Me", "Cf") else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def width_of(pieces: Line) -> int:
    """How many columns a line takes."""
    return sum(cells(piece.text) for piece in pieces)


def wrapped(pieces: Line, width: int, indent: int) -> list[Line]:
    """The line broken at spaces so that it fits, later lines indented. A longer word is broken where it must be."""
    if width_of(pieces) <= width:
        return [pieces]
    lines: list[list[Piece]] = [[]]
    room = width
    for text, style in _words(pieces):
        word = text
        if cells(word.rstrip()) > room and room < width - indent:
            lines.append([])
            room = width - indent
            word = word.lstrip()
        while cells(word.rstrip()) > room:
            cut = _fitting(word, room)
            lines[-1].append(Piece(word[:cut], style))
            word = word[cut:]
            lines.append([])
            room = width - indent
        lines[-1].append(Piece(word, style))
        room -= cells(word)
    first, *rest = [_stripped(row) for row in lines]
    return [first, *((Piece(" " * indent), *row) for row in rest if row)]


def _words(pieces: Line) -> Iterable[Piece]:
    """The line's words, each with the spaces after it; leading spaces are a word of their own."""
    for text, style in pieces:
        start = 0
        for index in range(1, len(text)):
            if text[index - 1] == " " and text[index] != " ":
                yield Piece(text[start:index], style)
                start = index
        if text:
            yield Piece(text[start:], style)


def _fitting(word: str, room: int) -> int:
    """How many characters of the word fit, at least one."""
    taken = 0
    for count, character in enumerate(word):
        taken += cells(character)
        if taken > room:
            return max(count, 1)
    return len(word)


def _stripped(row: Sequence[Piece]) -> Line:
    """The row without spaces at its end."""
    pieces = list(row)
    while pieces and not pieces[-1].text.rstrip():
        pieces.pop()
    if pieces:
        pieces[-1] = Piece(pieces[-1].text.rstrip(), pieces[-1].style)
    return tuple(pieces)


def clipped(pieces: Line, width: int) -> Line:
    """The line, cut with an ellipsis where it is wider."""
    if width_of(pieces) <= width:
        return pieces
    kept: list[Piece] = []
    room = width - 1
    for text, style in pieces:
        cut = text if cells(text) <= room else text[: _fitting(text, room)] if room > 0 else ""
        kept.append(Piece(cut, style))
        room -= cells(cut)
        if cut != text:
            break
    return (*kept, Piece("…", kept[-1].style))


def spread(left: Line, right: Line, width: int) -> Line:
    """Both on one line, the right one at its end; two spaces apart where there is no more room."""
    gap = width - width_of(left) - width_of(right)
    return (*left, Piece(" " * max(gap, 2)), *right)


def painted(lines: Iterable[Line], *, colour: bool) -> str:
    """The lines as text, each ended by a line feed; with `colour`, styles become escape sequences."""
    return "".join("".join(_paint(piece, colour) for piece in row).rstrip() + "\n" for row in lines)


def _paint(piece: Piece, colour: bool) -> str:
    code = STYLES[piece.style]
    if not colour or not code or not piece.text.strip():
        return piece.text
    return f"\x1b[{code}m{piece.text}\x1b[0m"
