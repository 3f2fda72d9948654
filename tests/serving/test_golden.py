"""Golden requests: what a candidate answers wrongly, or otherwise than the service that is live."""

from __future__ import annotations

from typing import Any

import pytest

from mlplan.serving import golden
from mlplan.serving.golden import NOTHING, Given, Golden

from .conftest import Serve

TIMES = "import json\ndef init(): pass\ndef run(data): return [FACTOR * row[0] for row in json.loads(data)['data']]\n"


def test_a_request_may_have_an_answer_a_tolerance_and_a_name() -> None:
    items: list[dict[str, Any]] = [
        {"request": {"data": [[1]]}, "expect": [2], "name": "one"},
        {"request": 7, "tolerance": 0.5},
        {"request": None, "expect": None},
    ]
    expected = [
        Golden("one", {"data": [[1]]}, [2], 1e-6),
        Golden("2", 7, NOTHING, 0.5),
        Golden("3", None, None, 1e-6),
    ]
    assert golden.goldens_of(items) == expected
    assert golden.goldens_of(items, 0.1)[0].tolerance == 0.1


def test_collected_records_are_golden_requests() -> None:
    record = {"time": "2026-01-01T00:00:00.000Z", "request_id": "r1", "input": {"data": [1]}, "output": [2]}
    assert golden.goldens_of([record]) == [Golden("r1", {"data": [1]}, [2], 1e-6)]


@pytest.mark.parametrize(
    ("one", "other", "tolerance", "same"),
    [
        (1.0, 1.05, 0.1, True),
        (1.0, 1.2, 0.1, False),
        (1, 1.0, 0.0, True),
        (True, 1, 1.0, False),
        ([1, [2]], [1, [2.0]], 0.0, True),
        ([1], [1, 2], 1.0, False),
        ({"a": 1}, {"b": 1}, 1.0, False),
        ("x", "x", 0.0, True),
        (None, 0, 1.0, False),
    ],
)
def test_values_are_compared_with_a_tolerance(one: Any, other: Any, tolerance: float, same: bool) -> None:
    assert golden.same(one, other, tolerance) is same


def test_a_candidate_is_compared_with_what_is_live(serve: Serve) -> None:
    live = serve(script=TIMES.replace("FACTOR", "2"))
    candidate = serve(script=TIMES.replace("FACTOR", "2 if row[0] < 2 else 3"))
    goldens = golden.goldens_of(
        [
            {"request": {"data": [[1]]}, "expect": [2]},
            {"request": {"data": [[2]]}, "name": "two"},
            {"request": {"data": [[3]]}, "expect": [6], "name": "three"},
            {"request": {"data": 4}, "name": "odd"},
        ]
    )
    given, before = golden.ask_all([f"http://127.0.0.1:{port}" for port in (candidate.port, live.port)], "", goldens)
    report = golden.compare(goldens, given, before)
    assert [item.name for item in report.wrong] == ["three", "odd"]
    assert [(item.name, item.candidate.value, item.other) for item in report.changed] == [
        ("two", [6], [4]),
        ("three", [9], [6]),
    ]
    assert 0 < report.p50_ms <= report.p99_ms
    assert report.live_p99_ms is not None
    assert list(golden.shown(report))[2:] == [
        "wrong: three: [9], not [6]",
        next(line for line in golden.shown(report) if line.startswith("wrong: odd: ")),
        "changed: two: [4] -> [6]",
        "changed: three: [6] -> [9]",
    ]


def test_without_a_live_service_only_what_is_expected_counts() -> None:
    goldens = [Golden("a", 1, [1], 0.0), Golden("b", 1, NOTHING, 0.0)]
    report = golden.compare(goldens, [Given(200, [1], 2.0), Given(200, "x", 4.0)])
    assert (report.wrong, report.changed, report.live_p50_ms) == ([], [], None)
    assert list(golden.shown(report)) == [
        "2 golden requests: 0 wrong",
        "p50 4.00 ms, p99 4.00 ms",
    ]
