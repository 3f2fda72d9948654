"""How values, sizes, durations, times and lists are said."""

from __future__ import annotations

import pytest

from mlplan.json_types import Json
from mlplan.views import values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "true"),
        (0.01, "0.01"),
        (3, "3"),
        ("2h", "2h"),
        ("", '""'),
        (" padded", '" padded"'),
        ("a -> b", '"a -> b"'),
        ("two\nlines", '"two\\nlines"'),
        ("\u202eright to left", '"\\u202eright to left"'),
        ("数据", "数据"),
        ({"cpu": 1}, '{"cpu": 1}'),
        (["a", 1], '["a", 1]'),
    ],
)
def test_value(value: Json, text: str) -> None:
    assert values.value_text(value) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (12_345, "12 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (9_912_422, "9.9 MB"),
        (1_200_000_000, "1.2 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_size(size: int, text: str) -> None:
    assert values.size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0 s"),
        (0.34, "0.3 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (250.2, "4 min 10 s"),
        (3599.6, "1 h"),
        (7500, "2 h 5 min"),
        (100_000, "1 d 3 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert values.duration_text(seconds) == text


def test_shortened_keeps_both_ends_and_the_length() -> None:
    assert values.shortened("abcdefghij", 10) == "abcdefghij"
    assert values.shortened("abcdefghijk", 9) == "abcde…ijk"


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_listed(names: list[str], text: str) -> None:
    assert values.listed(names) == text


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (None, "2026-03-01 12:00:00 UTC"),
        (1_772_366_400.5, "2026-03-01 12:00:00 UTC (just now)"),
        (1_772_366_459.0, "2026-03-01 12:00:00 UTC (59 s ago)"),
        (1_772_373_600.0, "2026-03-01 12:00:00 UTC (2 h ago)"),
        (1_772_711_999.0, "2026-03-01 12:00:00 UTC (3 d ago)"),
        (1_772_000_000.0, "2026-03-01 12:00:00 UTC (just now)"),
    ],
)
def test_time(now: float | None, text: str) -> None:
    assert values.time_text("2026-03-01T12:00:00Z", now) == text
    assert values.time_text("2026-03-01T13:00:00.000+01:00", now) == text


def test_what_is_no_time_is_shown_as_it_is() -> None:
    assert values.time_text("yesterday\x07", 0) == "yesterday\\x07"


def test_an_age_for_a_column() -> None:
    assert values.age_text("2026-03-01T12:00:00Z", 1_772_366_459.0) == "59 s ago"
    assert values.age_text("2026-03-01T12:00:00Z", None) == "2026-03-01 12:00:00 UTC"
    assert values.age_text("long ago", 0.0) == "long ago"


def test_metrics_are_single_numbers_by_name() -> None:
    several: Json = {"f": 0.123456, "b": 2, "rows": 123_456, "ok": True, "name": "x"}
    assert values.metrics_text(several) == "b 2, f 0.1235, rows 123456"
    assert values.metrics_text(dict.fromkeys("abcdef", 1), most=4) == "a 1, b 1, c 1, d 1, 2 more"
    assert values.metrics_text(None) == ""
