"""What counts as the answer that a test expects."""

from __future__ import annotations

from typing import Any

import pytest

from mlplan.kinds.deployment.answers import same, what_is_wrong
from mlplan.kinds.deployment.ask import Answer


@pytest.mark.parametrize(
    ("got", "expected", "alike"),
    [
        ([3], [3], True),
        ([3.0], [3], True),
        ([0.1 + 0.2], [0.3], True),
        ([0.30001], [0.3], False),
        ([3, 4], [3], False),
        ({"a": [1]}, {"a": [1.0]}, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        (True, 1, False),
        ("3", 3, False),
        (None, None, True),
    ],
)
def test_same(got: Any, expected: Any, alike: bool) -> None:
    assert same(got, expected) is alike


@pytest.mark.parametrize(
    ("status", "text", "expect", "wrong"),
    [
        (200, "[3]", [3], ""),
        (200, "[4]", [3], "answered [4], expected is [3]"),
        (200, "<html>", [3], "answered no JSON: <html>"),
        (500, '{"message": "no"}', [3], 'answered 500: {"message": "no"}'),
        (200, "anything", None, ""),
        (201, "[3]", [3], ""),
    ],
)
def test_what_is_wrong(status: int, text: str, expect: Any, wrong: str) -> None:
    assert what_is_wrong(Answer(status, {}, text), {"request": "r.json", "expect": expect}) == wrong
