"""How values, sizes, durations, reasons and counts are said."""

from __future__ import annotations

import pytest

from mlplan.address import Address
from mlplan.fingerprint import Part
from mlplan.json_types import Json
from mlplan.plan.changes import ACTIONS, Action, Change, Forecast, Plan, Reason
from mlplan.views import words
from mlplan.world import Drift


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
    assert words.value_text(value) == text


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
    assert words.size_text(size) == text


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
    assert words.duration_text(seconds) == text


def test_shortened_keeps_both_ends_and_the_length() -> None:
    assert words.shortened("abcdefghij", 10) == "abcdefghij"
    assert words.shortened("abcdefghijk", 9) == "abcde…ijk"


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_listed(names: list[str], text: str) -> None:
    assert words.listed(names) == text


def _change(action: Action, *reasons: Reason, kind: str = "run", name: str = "train") -> Change:
    return Change(Address(kind, name), action, reasons, {}, {})


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason("changed", "scripts/train.py"), "scripts/train.py changed"),
        (Reason("changed", "--regularization", 0.01, 0.5), "--regularization 0.01 -> 0.5"),
        (
            Reason("changed", "dataset digits", detail="2 files changed (a, b)"),
            "dataset digits: 2 files changed (a, b)",
        ),
        (Reason("changed", "dataset digits", 1, 2, "1 file added"), "dataset digits 1 -> 2: 1 file added"),
        (Reason("changed", "content", 3, 3), "content changed"),
        (Reason("added", "package numpy", None, "==2.1"), "package numpy ==2.1 added"),
        (Reason("removed", "env SEED", "7"), "env SEED 7 removed"),
        (Reason("upstream", "model bytes", None, "run.train"), "model bytes (known after apply of run.train)"),
        (Reason("unpinned", "locked packages"), "locked packages: not in mlplan.lock yet (known after apply)"),
        (Reason("drift", "service", "Healthy", "Absent", "stopped"), "service stopped (Healthy -> Absent)"),
        (Reason("drift", "kept output a.pkl", detail="missing"), "kept output a.pkl missing"),
        (Reason("undeclared", "run.train"), "no longer in the manifest"),
        (Reason("moved", "run.mnist", "run.mnist", "run.train"), "moved from run.mnist"),
        (Reason("forced", "--replace"), "asked for by --replace"),
        (Reason("new", "run.train"), "new"),
        (Reason("interrupted", "run"), "an apply has begun its run, and not finished it"),
        (Reason("changed", "bell\x07.py"), "bell\\x07.py changed"),
    ],
)
def test_reason(reason: Reason, text: str) -> None:
    assert words.reason_words(reason, _change("run", reason)).text == text


def test_a_restored_run_is_not_called_new() -> None:
    reason = Reason("new", "run.train")
    assert words.reason_words(reason, _change("restore", reason)).text == (
        "ran before with the same inputs, its outputs are kept"
    )


def _plan(*changes: Change) -> Plan:
    return Plan("p", "l", 1, "d", changes, {})


def test_every_action_is_counted_in_one_order() -> None:
    plan = _plan(*(_change(action) for action in ACTIONS))
    assert words.summary(plan) == (
        "Plan: 1 to run, 1 to restore, 1 to register, 1 to create, 1 to update, 1 to replace, 1 to delete, "
        "2 unchanged."
    )


def test_an_empty_plan_says_so() -> None:
    assert words.summary(_plan(_change("skip"))) == "No changes. Everything is as the manifest says (1 resource)."
    assert words.summary(_plan()) == "No changes. The manifest declares no resources."


def test_many_runs_are_named_in_part_and_timed_in_all() -> None:
    runs = [_change("run", name=f"r{i}")._replace(forecast=Forecast(60, 1)) for i in range(8)]
    assert words.glance(_plan(*runs)) == [("runs", "r0, r1, r2, r3, r4 and 3 others, about 8 min in all")]


def test_a_service_that_is_down_is_not_said_to_go_on_unnoticed() -> None:
    drift = Drift("service", "stopped", "Healthy", "Absent")
    known = {"port": Part("replace", "x")}
    down = _change("update", kind="deployment", name="prices")._replace(before=known, drift=(drift,))
    assert words.glance(_plan(down)) == [("serves", "prices, now stopped, starts again")]


def test_the_time_of_runs_is_not_told_where_one_of_them_never_ran() -> None:
    known = _change("run", name="a")._replace(forecast=Forecast(60, 1))
    assert words.glance(_plan(known, _change("run", name="b"))) == [("runs", "a and b")]


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
    assert words.time_text("2026-03-01T12:00:00Z", now) == text
    assert words.time_text("2026-03-01T13:00:00.000+01:00", now) == text


def test_what_is_no_time_is_shown_as_it_is() -> None:
    assert words.time_text("yesterday\x07", 0) == "yesterday\\x07"


def test_an_age_for_a_column() -> None:
    assert words.age_text("2026-03-01T12:00:00Z", 1_772_366_459.0) == "59 s ago"
    assert words.age_text("2026-03-01T12:00:00Z", None) == "2026-03-01 12:00:00 UTC"
    assert words.age_text("long ago", 0.0) == "long ago"
