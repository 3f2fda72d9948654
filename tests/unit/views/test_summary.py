"""What a plan comes to, in sentences: the count, and what a reviewer wants to know first."""

from __future__ import annotations

from mlplan.address import Address
from mlplan.fingerprint import Part
from mlplan.plan.changes import ACTIONS, Action, Change, Forecast, Plan
from mlplan.views.summary import glance, summary
from mlplan.world import Drift


def _change(action: Action, kind: str = "run", name: str = "train") -> Change:
    return Change(Address(kind, name), action, (), {}, {})


def _plan(*changes: Change) -> Plan:
    return Plan("p", "l", 1, "d", changes, {})


def test_every_action_is_counted_in_one_order() -> None:
    plan = _plan(*(_change(action) for action in ACTIONS))
    assert summary(plan) == (
        "Plan: 1 to run, 1 to restore, 1 to register, 1 to create, 1 to update, 1 to replace, 1 to delete, "
        "2 unchanged."
    )


def test_an_empty_plan_says_so() -> None:
    assert summary(_plan(_change("skip"))) == "No changes. Everything is as the manifest says (1 resource)."
    assert summary(_plan()) == "No changes. The manifest declares no resources."


def test_many_runs_are_named_in_part_and_timed_in_all() -> None:
    runs = [_change("run", name=f"r{i}")._replace(forecast=Forecast(60, 1)) for i in range(8)]
    assert glance(_plan(*runs)) == [("runs", "r0, r1, r2, r3, r4 and 3 others, about 8 min in all")]


def test_a_service_that_is_down_is_not_said_to_go_on_unnoticed() -> None:
    drift = Drift("service", "stopped", "Healthy", "Absent")
    known = {"port": Part("replace", "x")}
    down = _change("update", kind="deployment", name="prices")._replace(before=known, drift=(drift,))
    assert glance(_plan(down)) == [("serves", "prices, now stopped, starts again")]


def test_the_time_of_runs_is_not_told_where_one_of_them_never_ran() -> None:
    known = _change("run", name="a")._replace(forecast=Forecast(60, 1))
    assert glance(_plan(known, _change("run", name="b"))) == [("runs", "a and b")]
