"""Durations and sizes as they are written."""

from __future__ import annotations

import pytest

from mlplan.manifest.quantities import seconds, size_in_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", 90.0), ("2h", 7200.0), ("1h30m", 5400.0), ("250ms", 0.25), ("1.5d", 129600.0), ("0s", 0.0)],
)
def test_seconds(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "90", "h", "2 h", "2h ", "-1s", "1y"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1Gi", 1073741824), ("1.5Gi", 1610612736), ("512Mi", 536870912), ("10MB", 10000000), ("7B", 7), ("1kB", 1000)],
)
def test_size_in_bytes(text: str, expected: int) -> None:
    assert size_in_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "1", "Gi", "1 Gi", "1GiB", "1gi", "-1Gi"])
def test_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        size_in_bytes(text)
