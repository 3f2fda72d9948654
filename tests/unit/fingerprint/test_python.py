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


def test_text_that_pythons_escape_differently_has_one_spelling() -> None:
    # U+0AB5 to U+1ED4B: printable in one version's Unicode tables and not yet in another's.
    assert digest("x = 'é\U0001ed4b\\ud800'".encode()) == (
        "ca50bfa2bdafc13c5d08a87c0605fa54c9b4ec36d2250af7c1669fff52f63279"
    )


def test_a_number_of_ten_thousand_digits_is_spelt() -> None:
    assert digest(b"x = 0x1" + b"0" * 9000) != digest(b"x = 0x2" + b"0" * 9000)


def test_a_file_nested_too_deep_counts_by_its_bytes_and_as_if_it_imported_anything() -> None:
    deep = b"x = " + b"(" * 3000 + b")" * 3000
    assert python_meaning(deep).dynamic
    assert digest(deep) != digest(deep + b"#")


def test_a_warning_of_the_parser_is_not_shown(recwarn: pytest.WarningsRecorder) -> None:
    python_meaning(b"x = '\\d'")
    assert not recwarn.list


@pytest.mark.parametrize(
    "text",
    [
        b"from importlib import import_module as im\nim(name)",
        b"import importlib\nlist(map(importlib.import_module, names))",
        b"import runpy\nrunpy.run_path(path)",
        b"import pkgutil\nfor m in pkgutil.iter_modules(p): pass",
    ],
)
def test_an_importer_that_is_not_called_with_a_literal_may_import_anything(text: bytes) -> None:
    assert python_meaning(text).dynamic


@pytest.mark.parametrize(
    ("text", "imported"),
    [
        (b"import importlib\nimportlib.import_module('near.by')", ("importlib", "near.by")),
        (b"import runpy\nrunpy.run_module('other')", ("other", "runpy")),
        (b"import runpy\nrunpy.run_path('other.py')", ("other.py", "runpy")),
        (b"__all__ = ['one', 'two']", (".one", ".two")),
    ],
)
def test_what_is_named_by_a_literal_is_an_import_like_any_other(text: bytes, imported: tuple[str, ...]) -> None:
    assert python_meaning(text).imports == imported
    assert not python_meaning(text).dynamic
