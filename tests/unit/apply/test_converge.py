"""What is said where the plan after an apply isn't empty."""

from __future__ import annotations

from mlplan.address import Address
from mlplan.apply.converge import not_converged
from mlplan.fingerprint import Part
from mlplan.plan.changes import Change, Plan, Reason

DATA, SERVICE, RUN = Address("dataset", "d"), Address("deployment", "s"), Address("run", "r")
CONTENT = ({"content": Part("result", "1" * 64)}, {"content": Part("result", "2" * 64)})


def said(*changes: Change) -> list[str]:
    return [diagnostic.detail for diagnostic in not_converged(Plan("p", "l", 1, "m", changes, {}))]


def test_nothing_where_all_is_quiet() -> None:
    assert said(Change(DATA, "no-op", (), {}, {})) == []


def test_field_and_both_values() -> None:
    reasons = (Reason("changed", "--rate", 0.1, 0.5), Reason("changed", "content", None, None, "1 file changed"))
    assert said(Change(RUN, "run", reasons, *CONTENT)) == [
        "run.r was applied, and yet the plan after it says `run`: --rate is 0.5, was 0.1; "
        "content is 222222222222, was 111111111111: 1 file changed."
    ]


def test_what_only_follows_is_left_out() -> None:
    cause = Change(RUN, "run", (Reason("changed", "--rate", 0.1, 0.5),), {}, {})
    follows = Change(SERVICE, "update", (Reason("upstream", "model m", None, "run.r"),), {}, {})
    assert len(said(cause, follows)) == 1
    assert len(said(follows)) == 1


def test_drift_in_its_own_words() -> None:
    reason = Reason("drift", "service", detail="unhealthy")
    assert said(Change(SERVICE, "update", (reason,), {}, {})) == [
        "deployment.s was applied, and yet the plan after it says `update`: service unhealthy."
    ]
