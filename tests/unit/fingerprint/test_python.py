"""What counts in a Python file, and what doesn't."""

from __future__ import annotations

import pytest

from mlplan.fingerprint.python import python_meaning

PROGRAM = b"""
import os
from . import near

def f(x: int, *, y=1.5) -> str:
    return f"{x!r:>{y}}" + 'a' if x else b"b".decode()

class C:
    z = ...
    async def g(self):
        async with self as h: yield (h, None, True, 1_000, 1j)
"""


def digest(text: bytes) -> str:
    return python_meaning(text).digest


def test_the_digest_is_the_same_under_every_python() -> None:
    assert digest(PROGRAM) == "8ecf270c00cb884269e53ad11f4f62974eb06b595787f4fde675d077bdb59780"
    assert python_meaning(PROGRAM).imports == (".", ".near", "os")


@pytest.mark.parametrize(
    "same",
    [
        b"x = 1  # a comment\n",
        b"\n\nx=1",
        b'"""A docstring."""\nx = 1',
        b"x = (\n    1\n)",
        "\ufeffx = 1".encode(),
        b"x = 0x1",
    ],
)
def test_comments_docstrings_and_layout_do_not_count(same: bytes) -> None:
    assert digest(same) == digest(b"x = 1\n")


@pytest.mark.parametrize(
    "other", [b"x = 2", b"x = 1.0", b"x = '1'", b"x = True", b"y = 1", b"x = 1; y = 1", b"x: int = 1"]
)
def test_code_counts(other: bytes) -> None:
    assert digest(other) != digest(b"x = 1\n")


def test_an_inner_docstring_does_not_count_and_a_lone_string_below_it_does() -> None:
    assert digest(b"def f():\n    'doc'\n    return 1") == digest(b"def f():\n    return 1")
    assert digest(b"def f():\n    x\n    's'") != digest(b"def f():\n    x\n    't'")


def test_a_docstring_that_the_program_reads_counts() -> None:
    assert digest(b"'''Usage: a'''\nprint(__doc__)") != digest(b"'''Usage: b'''\nprint(__doc__)")


def test_none_is_not_nothing() -> None:
    assert digest(b"def f():\n    return None") != digest(b"def f():\n    return")


def test_what_does_not_parse_counts_by_its_bytes() -> None:
    assert python_meaning(b"x =").dynamic
    assert digest(b"x =") != digest(b"x = ")
