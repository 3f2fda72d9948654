"""Older records are read as today's: pairs of files, one for every format there was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlplan.state.encode import decode_commit, decode_entry, encode_commit
from mlplan.state.upgrade import FORMAT, TooNew, upgrade

GOLDEN = Path(__file__).parents[2] / "golden" / "state"
PAIRS = sorted(path.name.removesuffix(".in.json") for path in GOLDEN.glob("v*.in.json"))


@pytest.mark.parametrize("name", PAIRS)
def test_a_record_comes_out_as_it_is_written_today(name: str) -> None:
    old = (GOLDEN / f"{name}.in.json").read_bytes()
    today = (GOLDEN / f"{name}.out.json").read_bytes()
    sealed = decode_commit(old)
    written, _ = encode_commit(sealed.commit, before=sealed.before, lease=sealed.lease, token=sealed.token)
    assert written == today


def test_every_format_has_a_pair() -> None:
    assert {int(name[1:].partition("-")[0]) for name in PAIRS} == set(range(1, FORMAT + 1))


def test_every_kind_of_entry_is_in_a_pair_of_todays_format() -> None:
    kinds = set()
    for name in PAIRS:
        for entry in json.loads((GOLDEN / f"{name}.out.json").read_bytes())["commit"]["entries"]:
            kinds.add(type(decode_entry(entry)).__name__)
    assert kinds == {
        "Collected", "Created", "IntentClosed", "IntentOpened", "LeaseReleased", "LeaseTaken", "ResourceMoved",
        "ResourceRecorded", "ResourceRemoved", "RunEnded", "Versioned", "SwitchStopped", "Moved",
    }  # fmt: skip


def rename(record: Any) -> Any:
    return {**record, "b": record["a"]}


def double(record: Any) -> Any:
    return {**record, "b": record["b"] * 2}


def test_steps_are_taken_one_after_another_from_where_a_record_stands() -> None:
    assert upgrade({"format": 1, "a": 3}, (rename, double)) == {"format": 3, "a": 3, "b": 6}
    assert upgrade({"format": 2, "b": 3}, (rename, double)) == {"format": 3, "b": 6}
    assert upgrade({"format": 3, "b": 3}, (rename, double)) == {"format": 3, "b": 3}


def test_a_newer_record_is_refused() -> None:
    with pytest.raises(TooNew, match="format 4, and this mlplan knows formats up to 3"):
        upgrade({"format": 4}, (rename, double))


@pytest.mark.parametrize("record", [{}, {"format": None}, {"format": True}, {"format": "1"}, {"format": 0}])
def test_a_record_that_tells_no_format_is_none(record: Any) -> None:
    with pytest.raises(ValueError, match="tells no format"):
        upgrade(record)
