"""What a plan tells of golden requests: what is asked, and when an earlier report is this candidate's."""

from __future__ import annotations

from typing import Any

import pytest

from mlplan.address import Address
from mlplan.kinds.deployment.asked import Questions, golden_of, missed_limits, questions_digest
from mlplan.plan.changes import Golden
from mlplan.state.records import Recorded, Stopped

REPORT: dict[str, Any] = {
    "asked": 200, "wrong": 0, "changed": 3, "p50_ms": 1.3, "p99_ms": 2.4, "live_p50_ms": 1.1, "live_p99_ms": 2.0,
    "examples": [], "limits": {"changed": 0}, "missed": ["changed"], "questions": "q",
}  # fmt: skip
ASKED = Questions("golden.jsonl", "q", 200, {"changed": 0})
STOPPED = Stopped("new", "old", {"golden.jsonl": REPORT}, 7)


def told(candidate: str = "new", live: str = "old", asked: Questions = ASKED, **state: Any) -> Golden:
    state = {"recorded": Recorded(Address("deployment", "s"), {}, {}, False, 5), "stopped": STOPPED, **state}
    (golden,) = golden_of([asked], candidate, live, state["recorded"], state["stopped"])
    return golden


def test_a_stopped_candidate_is_told_what_it_answered() -> None:
    assert told() == Golden("golden.jsonl", 200, {"changed": 0}, True, REPORT, ("changed",))


def test_limits_that_were_changed_are_held_against_what_was_answered() -> None:
    assert told(asked=ASKED._replace(limits={"changed": 3})).missed == ()
    assert told(asked=ASKED._replace(limits={"changed": 3, "slower": 1.1})).missed == ("slower",)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"candidate": "newer"}, id="another candidate"),
        pytest.param({"candidate": ""}, id="a candidate that only the apply can tell"),
        pytest.param({"live": "older"}, id="another live service"),
        pytest.param({"live": "", "recorded": None}, id="no live service any more"),
        pytest.param({"asked": ASKED._replace(digest="r")}, id="other requests"),
        pytest.param({"asked": ASKED._replace(file="other.jsonl")}, id="another file"),
        pytest.param({"stopped": None}, id="nothing was stopped"),
    ],
)
def test_nothing_is_claimed_of_anything_else(other: dict[str, Any]) -> None:
    found = told(**other)
    assert (found.report, found.missed) == (None, ())


def test_a_service_that_is_made_anew_has_the_report_of_its_deployment() -> None:
    recorded = Recorded(Address("deployment", "s"), {}, {"golden": {"golden.jsonl": REPORT}}, False, 5)
    again = told(candidate="old", recorded=recorded)
    assert (again.report, again.is_compared) == (REPORT, False)
    assert told(recorded=recorded, stopped=None).report is None


def test_a_first_service_is_compared_with_none() -> None:
    assert told(live="", recorded=None, stopped=STOPPED._replace(live="")).report == REPORT
    assert not told(live="", recorded=None).is_compared
    assert told(candidate="").is_compared


@pytest.mark.parametrize(
    ("limits", "missed"),
    [
        ({}, ()),
        ({"changed": 2, "slower": 1.1, "p99": "2ms"}, ("changed", "slower", "p99")),
        ({"changed": 3, "slower": 1.2, "p99": "3ms"}, ()),
    ],
)
def test_limits(limits: dict[str, Any], missed: tuple[str, ...]) -> None:
    assert missed_limits(REPORT, limits) == missed


def test_without_a_live_answer_nothing_is_slower() -> None:
    alone = {name: value for name, value in REPORT.items() if not name.startswith("live")}
    assert missed_limits({**alone, "changed": 0}, {"changed": 0, "slower": 1.1}) == ()


def test_questions_are_named_by_content_and_tolerance() -> None:
    names = {questions_digest("a", None), questions_digest("b", None), questions_digest("a", 0.1)}
    assert len(names) == 3
