"""When a model moves into the event loop, and out of it."""

from __future__ import annotations

import pytest

from mlplan.serving.pace import Pace


class Machine:
    """A clock, and how long the thread waited for a processor."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waited = 0.0

    def pace(self, dispatch: str = "adaptive", *, quick: bool = False) -> Pace:
        return Pace(dispatch, quick=quick, clock=lambda: self.now, waited_s=lambda: self.waited)


def teach(pace: Pace, calls: int, taken_s: float, body: int = 100) -> None:
    for _ in range(calls):
        pace.learn(taken_s, body)


@pytest.mark.parametrize(
    ("dispatch", "quick", "inline"),
    [("adaptive", False, False), ("adaptive", True, True), ("inline", False, True), ("thread", True, False)],
)
def test_where_a_model_starts(dispatch: str, quick: bool, inline: bool) -> None:
    assert Machine().pace(dispatch, quick=quick).inline is inline


def test_short_calls_move_it_in() -> None:
    pace = Machine().pace()
    teach(pace, 199, 0.0001)
    assert not pace.inline
    teach(pace, 1, 0.0001)
    assert pace.inline


@pytest.mark.parametrize(("longer", "inline"), [(60, True), (61, False)])
def test_a_few_longer_calls_do_not_keep_it_out(longer: int, inline: bool) -> None:
    pace = Machine().pace()
    teach(pace, longer, 0.001)
    teach(pace, 200 - longer, 0.0001)
    assert pace.inline is inline


def test_a_long_call_beside_the_loop_keeps_nobody_out_of_it() -> None:
    pace = Machine().pace(quick=True)
    teach(pace, 5, 0.3, body=10**6)
    assert pace.inline
    assert not pace.is_inline(b"x" * 20000)


def test_one_very_long_call_moves_it_out_for_a_minute() -> None:
    machine = Machine()
    pace = machine.pace(quick=True)
    teach(pace, 1, 0.06)
    assert not pace.inline
    machine.now += 59.0
    teach(pace, 200, 0.0001)
    assert not pace.inline
    machine.now += 1.0
    teach(pace, 200, 0.0001)
    assert pace.inline


def test_three_long_calls_move_it_out() -> None:
    pace = Machine().pace(quick=True)
    teach(pace, 2, 0.006)
    assert pace.inline
    teach(pace, 1, 0.006)
    assert not pace.inline


def test_waiting_for_a_processor_is_not_the_calls_fault() -> None:
    machine = Machine()
    pace = machine.pace(quick=True)
    machine.waited = 0.0595
    teach(pace, 10, 0.06)
    assert pace.inline


def test_a_body_far_larger_than_any_before_runs_beside_the_loop() -> None:
    pace = Machine().pace(quick=True)
    assert pace.is_inline(b"x" * 16384)
    assert not pace.is_inline(b"x" * 16385)
    teach(pace, 200, 0.0001, body=20000)
    assert pace.is_inline(b"x" * 40000)
    assert not pace.is_inline(b"x" * 40001)
