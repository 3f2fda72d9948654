"""Plain scalars mean what YAML 1.2 says; what others take them for is noted."""

from __future__ import annotations

import pytest

from mlplan.json_types import Json
from mlplan.manifest.scalars import SURPRISES, meaning


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("NULL", None), ("nUll", "nUll"),
        ("true", True), ("FALSE", False), ("tRue", "tRue"),
        ("0", 0), ("-12", -12), ("+3", 3), ("0o17", 15), ("0x1F", 31),
        ("1.5", 1.5), ("-.5", -0.5), ("5.", 5.0), ("1e3", 1000.0), ("1.0", 1.0), ("2.5E-1", 0.25),
        ("abc", "abc"), ("1.2.3", "1.2.3"), ("1 2", "1 2"), ("-", "-"), ("0x", "0x"), ("y", "y"), ("n", "n"),
        ("=", "="), ("1,5", "1,5"), ("٣", "٣"),
    ],
)  # fmt: skip
def test_unsurprising(text: str, value: Json) -> None:
    found = meaning(text)
    assert found.value == value
    assert type(found.value) is type(value)
    assert found.surprise == ""


@pytest.mark.parametrize(
    ("text", "value", "surprise"),
    [
        ("yes", "yes", "bool"), ("No", "No", "bool"), ("ON", "ON", "bool"), ("off", "off", "bool"),
        ("12:30", "12:30", "clock"), ("1:2:3.4", "1:2:3.4", "clock"),
        ("2024-01-01", "2024-01-01", "date"), ("2024-1-1 10:00:00", "2024-1-1 10:00:00", "date"),
        ("1_000", "1_000", "digits"), ("0b101", "0b101", "digits"),
        ("010", 10, "octal"), ("-007", -7, "octal"), ("1.10", 1.1, "zero"), ("3.10", 3.1, "zero"),
        (".inf", ".inf", "endless"), (".NaN", ".NaN", "endless"), ("1e999", "1e999", "endless"),
        ("9" * 400, "9" * 400, "endless"),
    ],
)  # fmt: skip
def test_surprising(text: str, value: Json, surprise: str) -> None:
    assert meaning(text) == (value, surprise)
    assert surprise in SURPRISES
