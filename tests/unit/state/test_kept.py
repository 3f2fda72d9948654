"""What the state keeps, told by the trees that it refers to and by nothing that only looks like one."""

from __future__ import annotations

from mlplan.address import Address
from mlplan.state.entries import Commit, Entry, ResourceRecorded, Versioned
from mlplan.state.fold import fold
from mlplan.state.kept import kept_trees
from mlplan.state.records import EMPTY


def test_what_a_service_says_it_serves_is_no_tree() -> None:
    entries: tuple[Entry, ...] = (
        ResourceRecorded(Address("deployment", "means"), {}, {"digest": "told", "models": {"mean": "m1"}}, False),
        ResourceRecorded(Address("dataset", "numbers"), {}, {"digest": "d1"}, False),
        ResourceRecorded(Address("inference", "scorer"), {}, {"code": "c1"}, False),
        Versioned(Address("model", "mean"), 1, "m1", {}),
    )
    state = fold(EMPTY, [Commit(1, "2026-03-01T12:00:00Z", "ann@box", "", "mlplan apply", entries)])
    assert kept_trees(state) == {"m1", "d1", "c1"}
