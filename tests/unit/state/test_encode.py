"""Commits as bytes, and back."""

from __future__ import annotations

import pytest

from mlplan.state.encode import Damaged, TooNew, decode_commit, encode_commit
from mlplan.state.entries import Commit

from .samples import COMMITS

WHOLE, DIGEST = encode_commit(COMMITS[1], before="9" * 64, lease="lease-1", token="00")


def test_the_spelling() -> None:
    assert WHOLE.decode() == (
        '{"sha256":"5f729f6822c76e63930c93ea41f30a929e2b5aa6311597b45070b89f791205f9","commit":{"before":"'
        + "9" * 64
        + '","command":"mlplan apply","entries":[{"action":"run","address":"run.mnist","attempt":1,'
        '"detail":{"target":"local"},"entry":"intent-opened","fingerprint":"' + "f" * 64 + '","key":"key-1"}],'
        '"format":2,"lease":"lease-1","revision":"0123abc+","serial":2,"time":"2026-03-01T12:00:02Z","token":"00",'
        '"who":"ann@laptop"}}\n'
    )


@pytest.mark.parametrize("commit", COMMITS, ids=lambda commit: str(commit.serial))
def test_there_and_back(commit: Commit) -> None:
    data, digest = encode_commit(commit, before="1", lease="2", token="3")
    assert decode_commit(data) == (commit, digest, "1", "2", "3")


def test_no_cut_is_believed() -> None:
    for length in range(len(WHOLE)):
        with pytest.raises(Damaged):
            decode_commit(WHOLE[:length])


def test_no_turned_bit_is_believed() -> None:
    for place in range(len(WHOLE)):
        for bit in range(8):
            turned = bytearray(WHOLE)
            turned[place] ^= 1 << bit
            with pytest.raises(Damaged):
                decode_commit(bytes(turned))


def test_a_newer_format_is_told_from_damage() -> None:
    with pytest.raises(TooNew) as refused:
        decode_commit(_sealed(b'{"format":99}'))
    assert (refused.value.found, refused.value.known) == (99, 2)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format":0}',
        b'{"format":"1"}',
        b'{"format":1}',
        b'{"format":1,"serial":1,"entries":[{}]}',
    ],
)
def test_what_says_nothing_understood_is_damaged(body: bytes) -> None:
    with pytest.raises(Damaged):
        decode_commit(_sealed(body))


def _sealed(body: bytes) -> bytes:
    import hashlib

    return b'{"sha256":"' + hashlib.sha256(body).hexdigest().encode() + b'","commit":' + body + b"}\n"
