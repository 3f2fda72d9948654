"""Nodes know their places, to the character."""

from __future__ import annotations

import pytest

from mlplan.manifest.nodes import Mapping, Node, Path, Place, Scalar, at, key_at, value_of
from mlplan.manifest.parse import parse


def _root(text: str) -> Mapping:
    parsed = parse(text.encode(), "mlplan.yaml")
    assert parsed.document is not None
    assert parsed.diagnostics == []
    return parsed.document.root


TEXT = """\
plain: word
quoted: "a b"   # a comment
wide: {日本: é, x: "\\u00e9"}
list:
  - one
  -   two: 2
      three: [3, 33]
empty:
block: |
  first
  second
folded: a
  b
last: {}
"""


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("plain",), (1, 1, 1, 6), (1, 8, 1, 12)),
        (("quoted",), (2, 1, 2, 7), (2, 9, 2, 14)),
        (("wide",), (3, 1, 3, 5), (3, 7, 3, 27)),
        (("wide", "日本"), (3, 8, 3, 10), (3, 12, 3, 13)),
        (("wide", "x"), (3, 15, 3, 16), (3, 18, 3, 26)),
        (("list",), (4, 1, 4, 5), (5, 3, 7, 21)),
        (("list", 0), (5, 5, 5, 8), (5, 5, 5, 8)),
        (("list", 1), (6, 7, 7, 21), (6, 7, 7, 21)),
        (("list", 1, "three", 1), (7, 18, 7, 20), (7, 18, 7, 20)),
        (("empty",), (8, 1, 8, 6), (8, 7, 8, 7)),
        (("block",), (9, 1, 9, 6), (9, 8, 12, 1)),
        (("folded",), (12, 1, 12, 7), (12, 9, 13, 4)),
        (("last",), (14, 1, 14, 5), (14, 7, 14, 9)),
    ],
)
def test_places(path: Path, key: Place, value: Place) -> None:
    root = _root(TEXT)
    assert (key_at(root, path).place, at(root, path).place) == (key, value)


def test_values() -> None:
    assert value_of(_root(TEXT)) == {
        "plain": "word",
        "quoted": "a b",
        "wide": {"日本": "é", "x": "é"},
        "list": ["one", {"two": 2, "three": [3, 33]}],
        "empty": None,
        "block": "first\nsecond\n",
        "folded": "a b",
        "last": {},
    }


def test_an_alias_stands_for_its_anchor() -> None:
    assert value_of(_root("a: &x {b: [1]}\nc: *x\n")) == {"a": {"b": [1]}, "c": {"b": [1]}}


def test_keys_are_text_as_written() -> None:
    assert value_of(_root("1.10: a\nno: b\n010: c\n'q': d\n")) == {"1.10": "a", "no": "b", "010": "c", "q": "d"}


def _text_at(text: str, key: str) -> str:
    node: Node = at(_root(text), (key,))
    assert isinstance(node, Scalar)
    return node.text


def test_how_a_scalar_was_written_is_kept() -> None:
    assert _text_at("a: 1.10\n", "a") == "1.10"
    assert _text_at("a: '1.10'\n", "a") == "1.10"
    assert value_of(at(_root("a: '1.10'\n"), ("a",))) == "1.10"
    assert value_of(at(_root("a: !!str 1.10\n"), ("a",))) == "1.10"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028"])
def test_lines_end_as_yaml_says(end: str) -> None:
    root = _root(f"a: 1{end}b: 2{end}")
    assert at(root, ("b",)).place == (2, 4, 2, 5)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    parsed = parse(b"\xef\xbb\xbfa: 1\n", "mlplan.yaml")
    assert parsed.document is not None
    assert parsed.source.text == "a: 1\n"
    assert key_at(parsed.document.root, ("a",)).place == (1, 1, 1, 2)


def test_the_first_of_two_equal_keys_counts() -> None:
    parsed = parse(b"a: 1\na: 2\n", "mlplan.yaml")
    assert parsed.document is not None
    assert value_of(parsed.document.root) == {"a": 1}
    assert [diagnostic.code for diagnostic in parsed.diagnostics] == ["MLP1008"]


def test_everything_wrong_in_one_file_is_said_at_once() -> None:
    parsed = parse(b"a: 1\na: !x 2\n? [b]\n: 3\nc: .inf\nd: {<<: {e: 1}}\n", "mlplan.yaml")
    assert [diagnostic.code for diagnostic in parsed.diagnostics] == [
        "MLP1011",
        "MLP1008",
        "MLP1012",
        "MLP1017",
        "MLP1010",
    ]


def test_deep_nesting_is_refused_before_it_costs_anything() -> None:
    parsed = parse(b"a: " + b"[" * 1_000_000, "mlplan.yaml")
    assert [diagnostic.code for diagnostic in parsed.diagnostics] == ["MLP1016"]
