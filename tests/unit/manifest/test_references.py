"""Finding and filling in `${{ }}`."""

from __future__ import annotations

import pytest

from mlplan.json_types import Json
from mlplan.manifest.references import Mention, find, substitute, substitute_all


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing here, not even $ { {", []),
        ("${{ var.x }}", [Mention(0, 12, "var", "x", "")]),
        ("a${{var.x}}b", [Mention(1, 11, "var", "x", "")]),
        ("${{ dataset.d-1.path }}", [Mention(0, 23, "dataset", "d-1", "path")]),
        ("${{ run.r.metrics.a.b/c }}", [Mention(0, 26, "run", "r", "metrics.a.b/c")]),
        ("${{ a }}", [Mention(0, 8, "", "a", "")]),
        ("${{ }}", [Mention(0, 6, "", "", "")]),
        ("${{ var.x + 1 }}", [Mention(0, 16, "", "var.x + 1", "")]),
        ("x ${{ var.y", [Mention(2, 11, "", "var.y", "")]),
        ("${{ var.x }} ${{ env.Y }}", [Mention(0, 12, "var", "x", ""), Mention(13, 25, "env", "Y", "")]),
    ],
)
def test_find(text: str, expected: list[Mention]) -> None:
    assert find(text) == expected


def _value(mention: Mention) -> Json:
    values: dict[str, Json] = {"x": 0.1, "flag": True, "name": "ann", "list": [1]}
    return values[mention.name]


def test_a_string_that_is_one_mention_becomes_the_value() -> None:
    assert substitute("${{ var.x }}", _value) == 0.1
    assert substitute("${{ var.flag }}", _value) is True
    assert substitute("${{ var.list }}", _value) == [1]


def test_inside_a_string_a_value_becomes_text() -> None:
    assert substitute("--x=${{ var.x }} ${{ var.flag }} ${{ var.name }}!", _value) == "--x=0.1 true ann!"


def test_what_is_filled_in_is_not_looked_into() -> None:
    assert substitute("a ${{ var.x }}", lambda _: "${{ var.x }}") == "a ${{ var.x }}"


def test_everywhere_inside_a_value() -> None:
    before: Json = {"a": ["${{ var.x }}", 1, None], "${{ var.x }}": {"b": "-${{ var.name }}-"}}
    assert substitute_all(before, _value) == {"a": [0.1, 1, None], "${{ var.x }}": {"b": "-ann-"}}
