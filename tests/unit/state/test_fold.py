"""How commits become a state."""

from __future__ import annotations

import pytest

from mlplan.address import Address
from mlplan.fingerprint import Part
from mlplan.state import entries as e
from mlplan.state.fold import fold
from mlplan.state.records import EMPTY, Intent, Lease, Recorded, State, Stopped, Version

from .samples import COMMITS, MODEL, OLD, RUN, SERVICE, TRAIN


def commit(serial: int, *entries: e.Entry) -> e.Commit:
    return e.Commit(serial, "2026-03-01T12:00:00Z", "ann@laptop", "", "mlplan apply", entries)


def test_nothing_folds_to_what_was_there() -> None:
    assert fold(EMPTY, []) == EMPTY


def test_a_whole_log() -> None:
    state = fold(EMPTY, COMMITS)
    assert state == State(
        9,
        "lineage",
        "tutorial",
        {
            MODEL: Recorded(MODEL, {}, {"version": 1}, True, 4),
            TRAIN: Recorded(TRAIN, {"--alpha": Part("result", "c" * 64, 0.5)}, {"id": RUN.id}, False, 5),
        },
        {MODEL: (Version(1, "d" * 64, 4, {"run": RUN.id}),)},
        {TRAIN: (RUN._replace(address=TRAIN, serial=3, logs=None),)},
        {},
        None,
    )


def test_an_intent_is_open_until_it_is_closed() -> None:
    opened = fold(EMPTY, COMMITS[:2])
    assert opened.intents == {"key-1": Intent("key-1", OLD, "run", "f" * 64, 1, {"target": "local"}, 2)}
    assert fold(opened, COMMITS[2:3]).intents == {}


def test_the_given_state_stays_as_it_is() -> None:
    before = fold(EMPTY, COMMITS[:4])
    kept = State(*before)
    fold(before, COMMITS[4:])
    assert before == kept
    assert set(before.resources) == {OLD, MODEL}


@pytest.mark.parametrize("cut", range(len(COMMITS) + 1))
def test_folding_in_two_steps_is_folding_in_one(cut: int) -> None:
    assert fold(fold(EMPTY, COMMITS[:cut]), COMMITS[cut:]) == fold(EMPTY, COMMITS)


def test_a_lease_ends_by_its_own_release_alone_and_by_being_taken_over() -> None:
    state = fold(EMPTY, [commit(1, e.LeaseTaken("one", {})), commit(2, e.LeaseTaken("two", {}))])
    assert state.lease == Lease("two", {}, 2, "2026-03-01T12:00:00Z")
    assert fold(state, [commit(3, e.LeaseReleased("one"))]).lease == state.lease
    assert fold(state, [commit(3, e.LeaseReleased("two"))]).lease is None


def test_a_version_is_never_altered() -> None:
    state = fold(EMPTY, [commit(1, e.Versioned(MODEL, 1, "a", {})), commit(2, e.Versioned(MODEL, 1, "b", {}))])
    assert state.versions[MODEL] == (Version(1, "a", 1, {}),)


def test_a_first_creation_counts() -> None:
    state = fold(EMPTY, [commit(1, e.Created("one", "p")), commit(2, e.Created("two", "q"))])
    assert (state.lineage, state.project) == ("one", "p")


def test_what_is_moved_takes_versions_runs_and_intents_along() -> None:
    a, b = Address("model", "a"), Address("model", "b")
    state = fold(
        EMPTY,
        [
            commit(1, e.Versioned(a, 1, "x", {}), e.IntentOpened("k", a, "register", "", 1, {})),
            commit(2, e.ResourceMoved(a, b)),
            commit(3, e.Versioned(a, 1, "y", {})),
        ],
    )
    assert state.versions == {b: (Version(1, "x", 1, {}),), a: (Version(1, "y", 3, {}),)}
    assert state.intents["k"].address == b


def test_there_and_back_again() -> None:
    state = fold(fold(EMPTY, COMMITS[:4]), [commit(5, e.ResourceMoved(OLD, TRAIN), e.ResourceMoved(TRAIN, OLD))])
    assert set(state.resources) == {OLD, MODEL}
    assert set(state.runs) == {OLD}


def test_moving_what_is_not_there_does_nothing() -> None:
    assert fold(EMPTY, [commit(1, e.ResourceMoved(OLD, TRAIN))])._replace(serial=0) == EMPTY


def test_what_was_collected_cannot_be_restored() -> None:
    state = fold(EMPTY, [*COMMITS[:4], commit(5, e.Collected(("a" * 64, "d" * 64)))])
    assert state.runs[OLD][0].outputs is None
    assert state.versions[MODEL][0].details == {"run": RUN.id, "collected": True}


def test_a_removed_service_is_gone_and_its_address_free() -> None:
    state = fold(EMPTY, [*COMMITS, commit(10, e.ResourceRecorded(SERVICE, {}, {"port": 1}, False))])
    assert state.resources[SERVICE] == Recorded(SERVICE, {}, {"port": 1}, False, 10)


def test_a_stopped_candidate_is_told_until_a_switch_is_made() -> None:
    first, second = (e.SwitchStopped(SERVICE, name * 64, "", {"golden.jsonl": {"asked": 2}}) for name in "ab")
    stopped = fold(EMPTY, [commit(1, first), commit(2, second)])
    assert stopped.stopped == {SERVICE: Stopped("b" * 64, "", {"golden.jsonl": {"asked": 2}}, 2)}
    renamed = Address("deployment", "renamed")
    assert list(fold(stopped, [commit(3, e.ResourceMoved(SERVICE, renamed))]).stopped) == [renamed]
    for ends in (e.ResourceRecorded(SERVICE, {}, {}, False), e.ResourceRemoved(SERVICE)):
        assert fold(stopped, [commit(3, ends)]).stopped == {}
