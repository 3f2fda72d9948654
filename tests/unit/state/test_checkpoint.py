"""States as bytes, and back."""

from __future__ import annotations

import pytest

from mlplan.state.checkpoint import Checkpoint, decode_checkpoint, encode_checkpoint
from mlplan.state.fold import fold
from mlplan.state.records import EMPTY, State

from .samples import COMMITS, MODEL, TRAIN


def states() -> list[State]:
    return [fold(EMPTY, COMMITS[:count]) for count in range(len(COMMITS) + 1)]


@pytest.mark.parametrize("state", states(), ids=lambda state: str(state.serial))
def test_there_and_back(state: State) -> None:
    decoded = decode_checkpoint(encode_checkpoint(Checkpoint(state, "d" * 64)))
    assert decoded == Checkpoint(state, "d" * 64)


def test_folding_on_from_a_checkpoint_is_folding_from_the_start() -> None:
    whole = fold(EMPTY, COMMITS)
    for state in states():
        kept = decode_checkpoint(encode_checkpoint(Checkpoint(state, "")))
        assert kept is not None
        assert fold(kept.state, COMMITS[state.serial :]) == whole


def test_a_checkpoint_of_what_nobody_looked_at_is_the_same_bytes() -> None:
    data = encode_checkpoint(Checkpoint(fold(EMPTY, COMMITS), "d"))
    kept = decode_checkpoint(data)
    assert kept is not None
    assert encode_checkpoint(kept) == data
    assert kept.state.resources[TRAIN].address == TRAIN
    assert kept.state.versions[MODEL][0].number == 1
    assert encode_checkpoint(kept) == data


def test_a_damaged_one_counts_as_none() -> None:
    data = encode_checkpoint(Checkpoint(fold(EMPTY, COMMITS), "d"))
    for length in range(len(data)):
        assert decode_checkpoint(data[:length]) is None
    for place in range(len(data)):
        turned = bytearray(data)
        turned[place] ^= 1 << (place % 8)
        assert decode_checkpoint(bytes(turned)) is None
