"""The graph: order, needs, closure."""

from __future__ import annotations

import pytest

from mlplan.address import Address
from mlplan.graph import build_graph

DATA, PREPARE, TRAIN = Address("dataset", "digits"), Address("run", "prepare"), Address("run", "train")
MODEL, SERVICE, CPU = Address("model", "digits"), Address("deployment", "svc"), Address("compute", "cpu")
NEEDS = {SERVICE: [MODEL, CPU], MODEL: [TRAIN], TRAIN: [PREPARE, CPU], PREPARE: [DATA, CPU], DATA: [], CPU: []}


def test_each_comes_after_what_it_needs_and_first_by_kind_and_name() -> None:
    assert build_graph(NEEDS).order == (CPU, DATA, PREPARE, TRAIN, MODEL, SERVICE)


def test_the_order_does_not_depend_on_how_the_manifest_is_written() -> None:
    backwards = dict(reversed(list(NEEDS.items())))
    assert build_graph(backwards).order == build_graph(NEEDS).order


def test_closure_is_all_that_is_needed_near_and_far() -> None:
    assert build_graph(NEEDS).closure([MODEL]) == {MODEL, TRAIN, PREPARE, DATA, CPU}


def test_dependants() -> None:
    assert build_graph(NEEDS).dependants()[CPU] == [PREPARE, TRAIN, SERVICE]


def test_a_need_outside_of_the_graph_is_left_out() -> None:
    assert build_graph({TRAIN: [DATA]}).needs == {TRAIN: ()}


def test_a_cycle_is_named() -> None:
    with pytest.raises(ValueError, match=r"run\.prepare, run\.train"):
        build_graph({PREPARE: [TRAIN], TRAIN: [PREPARE], DATA: []})
