"""The one decision: from desired, recorded and observed to one change."""

from __future__ import annotations

import pytest

from mlplan.address import Address
from mlplan.fingerprint import Part, Role, fingerprint, unknown
from mlplan.plan.changes import Action, Reason
from mlplan.plan.decide import RULES, Desired, decide
from mlplan.state.records import EMPTY, Intent, Recorded, RunRecord, State
from mlplan.world import Drift

TRAIN, SERVICE = Address("run", "train"), Address("deployment", "svc")


def part(digest: str, role: Role = "result") -> Part:
    return Part(role, digest, digest)


def recorded(address: Address, **parts: Part) -> State:
    return EMPTY._replace(serial=1, resources={address: Recorded(address, parts, {"id": "kept"}, False, 1)})


def ran(parts: dict[str, Part]) -> RunRecord:
    return RunRecord(
        "train-0-1", TRAIN, str(fingerprint(parts)), 1, "Completed", "2026-01-01T00:00:00Z", 250.0, 10**9, 0, "out",
        "log", {"accuracy": 0.9}, 3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "first", "same"),
    [
        ("compute", "create", "no-op"),
        ("dataset", "register", "no-op"),
        ("run", "run", "skip"),
        ("model", "register", "no-op"),
        ("inference", "create", "no-op"),
        ("deployment", "create", "no-op"),
    ],
)
def test_new_and_unchanged(kind: str, first: Action, same: Action) -> None:
    address = Address(kind, "x")
    desired = Desired(address, {"a": part("1")})
    assert decide(desired, EMPTY).action == first
    assert decide(desired, EMPTY).reasons == (Reason("new", f"{kind}.x"),)
    change = decide(desired, recorded(address, a=part("1")))
    assert (change.action, change.reasons, change.yields) == (same, (), {"id": "kept"})


@pytest.mark.parametrize(
    ("kind", "role", "action"),
    [
        ("dataset", "result", "register"),
        ("dataset", "label", "update"),
        ("run", "result", "run"),
        ("run", "label", "update"),
        ("model", "result", "register"),
        ("model", "check", "update"),
        ("deployment", "result", "update"),
        ("deployment", "check", "update"),
        ("deployment", "replace", "replace"),
        ("compute", "replace", "replace"),
    ],
)
def test_what_a_difference_asks_for(kind: str, role: Role, action: Action) -> None:
    address = Address(kind, "x")
    change = decide(Desired(address, {"a": part("2", role)}), recorded(address, a=part("1", role)))
    assert change.action == action
    assert change.reasons == (Reason("changed", "a", "1", "2"),)


def test_every_role_that_a_kind_uses_has_its_action() -> None:
    assert set(RULES) == {"compute", "dataset", "run", "model", "inference", "deployment"}


def test_the_worst_difference_decides() -> None:
    desired = Desired(SERVICE, {"port": part("2", "replace"), "tag": part("2", "label"), "model": part("2")})
    state = recorded(SERVICE, port=part("1", "replace"), tag=part("1", "label"), model=part("1"))
    assert decide(desired, state).action == "replace"


def test_parts_that_come_and_go_are_named() -> None:
    change = decide(Desired(TRAIN, {"--new": part("n")}), recorded(TRAIN, **{"--old": part("o")}))
    assert change.reasons == (Reason("added", "--new", None, "n"), Reason("removed", "--old", "o"))


def test_what_waits_for_another_is_conditional_and_nothing_else_is() -> None:
    state = recorded(SERVICE, **{"model m": part("1"), "port": part("1", "replace")})
    waiting = {"model m": unknown("result", "model.m"), "port": part("1", "replace")}
    change = decide(Desired(SERVICE, waiting), state)
    assert (change.action, change.conditional) == ("update", (Address("model", "m"),))
    edited = {**waiting, "port": part("2", "replace")}
    assert decide(Desired(SERVICE, edited), state).conditional == ()
    assert decide(Desired(SERVICE, waiting), EMPTY).conditional == ()


def test_what_is_not_pinned_is_a_reason_only_where_there_is_no_other() -> None:
    state = recorded(TRAIN, **{"locked packages": part("1"), "package a": part("1")})
    parts = {"locked packages": unknown("result", "run.train"), "package a": part("1")}
    assert [r.cause for r in decide(Desired(TRAIN, parts), state).reasons] == ["unpinned"]
    parts["package a"] = part("2")
    assert decide(Desired(TRAIN, parts), state).reasons == (Reason("changed", "package a", "1", "2"),)


def test_a_fingerprint_that_ran_before_is_restored() -> None:
    old, new = {"--x": part("1")}, {"--x": part("2")}
    state = recorded(TRAIN, **new)._replace(runs={TRAIN: (ran(old),)})
    change = decide(Desired(TRAIN, old), state)
    assert change.action == "restore"
    assert change.yields is not None
    assert change.yields["outputs"] == "out"
    assert decide(Desired(TRAIN, old), state, forced=True).action == "run"
    failed = ran(old)._replace(status="Failed")
    assert decide(Desired(TRAIN, old), state._replace(runs={TRAIN: (failed,)})).action == "run"


def test_a_run_tells_what_it_cost_the_last_time() -> None:
    state = recorded(TRAIN, a=part("1"))._replace(runs={TRAIN: (ran({"a": part("1")}),)})
    change = decide(Desired(TRAIN, {"a": part("2")}), state)
    assert change.forecast is not None
    assert (change.forecast.duration_s, change.forecast.peak_memory_bytes) == (250.0, 10**9)


def test_drift_is_mended_and_kept_apart_from_edits() -> None:
    drift = (Drift("service", "stopped", "Healthy", "Absent"),)
    change = decide(Desired(SERVICE, {"a": part("1")}), recorded(SERVICE, a=part("1")), drift)
    assert (change.action, change.drift) == ("update", drift)
    assert change.reasons == (Reason("drift", "service", "Healthy", "Absent", "stopped"),)


def test_a_damaged_output_is_not_restored_from_itself() -> None:
    state = recorded(TRAIN, a=part("1"))._replace(runs={TRAIN: (ran({"a": part("1")}),)})
    drift = (Drift("kept output model.pkl", "missing or damaged"),)
    assert decide(Desired(TRAIN, {"a": part("1")}), state, drift).action == "run"


def test_an_interrupted_change_is_taken_up_again() -> None:
    state = recorded(TRAIN, a=part("1"))._replace(intents={"k": Intent("k", TRAIN, "run", "f", 1, {}, 2)})
    change = decide(Desired(TRAIN, {"a": part("1")}), state)
    assert change.action == "run"
    assert change.reasons == (Reason("interrupted", "run"),)


def test_protection_belongs_to_the_record() -> None:
    change = decide(Desired(SERVICE, {"a": part("1")}, protect=True), recorded(SERVICE, a=part("1")))
    assert (change.action, change.impact) == ("update", "cosmetic")


@pytest.mark.parametrize(
    ("subject", "role", "impact"),
    [
        ("port", "replace", "contract"),
        ("model m", "result", "serve-only"),
        ("tag owner", "label", "cosmetic"),
    ],
)
def test_impact_of_a_service(subject: str, role: Role, impact: str) -> None:
    change = decide(Desired(SERVICE, {subject: part("2", role)}), recorded(SERVICE, **{subject: part("1", role)}))
    assert change.impact == impact


def test_a_mark_asks_for_nothing_and_is_recorded_with_what_else_is_done() -> None:
    marked = Desired(TRAIN, {"a": part("1"), "m": part("new", "mark")})
    for state in (recorded(TRAIN, a=part("1")), recorded(TRAIN, a=part("1"), m=part("old", "mark"))):
        assert (decide(marked, state).action, decide(marked, state).reasons) == ("skip", ())
    again = decide(marked, recorded(TRAIN, a=part("2")))
    assert (again.action, [reason.subject for reason in again.reasons]) == ("run", ["a"])
    assert again.after["m"] == part("new", "mark")
    unmarked = Desired(TRAIN, {"a": part("1")})
    assert decide(unmarked, recorded(TRAIN, a=part("1"), m=part("old", "mark"))).action == "skip"


def test_a_doubt_is_noted_even_where_nothing_is_done() -> None:
    desired = Desired(TRAIN, {"a": part("1")}, notes=("one file",), doubts=("it can't be told",))
    assert decide(desired, recorded(TRAIN, a=part("1"))).notes == ("it can't be told",)
    assert decide(desired, EMPTY).notes == ("it can't be told", "one file")
