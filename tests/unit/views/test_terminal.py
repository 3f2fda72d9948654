"""Wrapping, cutting and painting of styled lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlplan.views.terminal import Piece, cells, clipped, line, painted, spread, width_of, wrapped


def _text(rows: list[tuple[Piece, ...]]) -> list[str]:
    return ["".join(piece.text for piece in row) for row in rows]


def test_wraps_at_spaces_and_hangs() -> None:
    assert _text(wrapped(line("one two three four"), 9, 2)) == ["one two", "  three", "  four"]


def test_breaks_a_word_that_fits_nowhere() -> None:
    assert _text(wrapped(line("a abcdefghijkl"), 6, 2)) == ["a abcd", "  efgh", "  ijkl"]


def test_styles_survive_wrapping() -> None:
    rows = wrapped(line(("one ", "dim"), ("two", "bold")), 5, 0)
    assert rows == [(Piece("one", "dim"),), (Piece("", ""), Piece("two", "bold"))]


def test_wide_characters_take_two_columns() -> None:
    assert cells("数据a\u0301") == 5


def test_what_joins_characters_takes_no_column() -> None:
    assert cells("a\u200db\ufeff") == 2
    assert _text([clipped(line("数据数据"), 5)]) == ["数据…"]


def test_spread_puts_the_right_side_at_the_end() -> None:
    assert _text([spread(line("ab"), line("yz"), 8), spread(line("abcdef"), line("yz"), 8)]) == [
        "ab    yz",
        "abcdef  yz",
    ]


def test_paints_only_what_is_seen() -> None:
    rows = [line(("red", "red"), ("  ", "dim"), ""), ()]
    assert painted(rows, colour=True) == "\x1b[31mred\x1b[0m\n\n"
    assert painted(rows, colour=False) == "red\n\n"


@given(st.text("ab -数", max_size=60), st.integers(8, 30), st.integers(0, 4))
def test_no_row_is_wider_and_no_word_is_lost(text: str, width: int, indent: int) -> None:
    rows = wrapped(line(text), width, indent)
    assert all(width_of(row) <= width for row in rows)
    assert "".join("".join(_text(rows)).split()) == "".join(text.split())
