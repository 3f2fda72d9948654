"""Diagnostics as text: the marked lines, the sentences, one line each."""

from __future__ import annotations

import re

import pytest
from diagnostics_samples import ALL, PLACELESS, SOURCE, SOURCES, WRONG

from mlplan.diagnostics import Label
from mlplan.source import Source, Span
from mlplan.views.diagnostics import render_concise, render_text
from mlplan.views.terminal import cells


def _marked(line: str, first: int, last: int, width: int = 80) -> list[str]:
    """The drawn line and its mark, without the gutter."""
    label = Label(Span("f", 1, first, 1, last))
    text = render_text([PLACELESS._replace(labels=(label,))], [Source("f", line)], width=width)
    return [row[4:] for row in text.splitlines()[3:5]]


def test_text() -> None:
    assert render_text([WRONG, PLACELESS], [SOURCE]) == (
        "error[MLP3104]: Unknown compute\n"
        " --> mlplan.yaml:4:14\n"
        "  |\n"
        "4 |     compute: gpu-smal\n"
        "  |              ^^^^^^^^ no compute has this name\n"
        "  |\n"
        "3 |   train:\n"
        "  |   ----- asked by\n"
        "\n"
        "The manifest declares no compute `gpu-smal`.\n"
        "\n"
        "hint: Did you mean `gpu-small`?\n"
        "\n"
        "warning[MLP3207]: Unknown profile\n"
        "\n"
        "There is no profile `x`.\n"
        "\n"
        "1 error, 1 warning. To read more: mlplan explain MLP3104\n"
    )


def test_nothing_is_said_about_nothing() -> None:
    assert render_text([], [SOURCE]) == ""
    assert render_concise([]) == ""


def test_color_is_only_added() -> None:
    painted = render_text([WRONG, PLACELESS], [SOURCE], color=True)
    assert painted.startswith("\x1b[1;31merror[MLP3104]\x1b[0m\x1b[1m: Unknown compute\x1b[0m\n")
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == render_text([WRONG, PLACELESS], [SOURCE])


def test_concise() -> None:
    assert render_concise([WRONG, PLACELESS]) == (
        "mlplan.yaml:4:14: error[MLP3104] Unknown compute: The manifest declares no compute `gpu-smal`.\n"
        "warning[MLP3207] Unknown profile: There is no profile `x`.\n"
    )


@pytest.mark.parametrize(
    ("line", "first", "last", "drawn", "mark"),
    [
        ("key: value", 6, 11, "key: value", "     ^^^^^"),
        ("日本: 値段", 5, 7, "日本: 値段", "      ^^^^"),
        ("e\u0301t\u00e9: x", 7, 8, "e\u0301t\u00e9: x", "     ^"),
        ("\ta: b", 2, 3, "    a: b", "    ^"),
        ("ab\tc", 4, 5, "ab  c", "    ^"),
        ("\t\tx", 1, 3, "        x", "^^^^^^^^"),
        ("bell\x07: x", 5, 6, "bell\ufffd: x", "    ^"),
        ("x", 2, 2, "x", " ^"),
        ("", 1, 1, "", "^"),
        ("x", 9, 12, "x", " ^"),
    ],
)
def test_a_mark_stands_under_what_it_marks(line: str, first: int, last: int, drawn: str, mark: str) -> None:
    assert _marked(line, first, last) == [drawn, mark]


def test_a_long_line_is_cut_around_its_mark() -> None:
    line = "".join(f"{number:03}," for number in range(100))
    drawn, mark = _marked(line, 201, 204, width=60)
    assert drawn[len(mark) - 3 : len(mark)] == "050"
    assert drawn.startswith("...")
    assert drawn.endswith("...")
    assert cells(drawn) <= 56


def test_a_long_wide_line_is_cut_to_the_width() -> None:
    drawn, mark = _marked("値" * 300, 151, 152, width=60)
    assert cells(drawn) <= 56
    assert mark.endswith(" ^^")


def test_a_mark_over_several_lines_ends_with_the_first() -> None:
    label = Label(Span("f", 1, 4, 3, 2), "here")
    text = render_text([PLACELESS._replace(labels=(label,))], [Source("f", "a: [b,  \n c,\n]\n")])
    assert text.splitlines()[3:5] == ["1 | a: [b,", "  |    ^^^ here"]


def test_two_marks_on_one_line_show_it_once() -> None:
    labels = (Label(Span("f", 1, 4, 1, 5), "second"), Label(Span("f", 1, 1, 1, 2), "first"))
    text = render_text([PLACELESS._replace(labels=labels)], [Source("f", "a: b\n")])
    assert text.splitlines()[2:7] == ["  |", "1 | a: b", "  |    ^ second", "  | - first", ""]


def test_a_place_in_a_file_that_is_not_at_hand() -> None:
    assert "--> mlplan.yaml:4:14\n\nThe manifest" in render_text([WRONG], [])


def test_commands_in_a_hint_stay_on_their_lines() -> None:
    hint = "Run this:\n\n    mlplan " + "x" * 100 + "\n\n" + "word " * 30
    rows = render_text([PLACELESS._replace(hint=hint)], [], width=60).splitlines()
    assert "    mlplan " + "x" * 100 in rows
    assert [row for row in rows if row.startswith("word") and len(row) > 60] == []


def test_text_lets_nothing_through_that_moves_the_cursor() -> None:
    shown = render_text(ALL, SOURCES) + render_concise(ALL)
    assert [char for char in shown if not char.isprintable() and char != "\n"] == []
