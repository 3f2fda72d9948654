"""Sealed bytes: opened as they were, or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import pytest

from mlplan.errors import Refusal
from mlplan.workspace.keys import user_key
from mlplan.workspace.sealing import PIECE, NotOpened, Sealer, plain_size, unwrap, wrap

SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 5]
SEALER = Sealer(b"k" * 32)
GOOD = "a2V5IG9mIDMyIGJ5dGVzLCBmb3IgYSB0ZXN0LCAuLi4="


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_opens(size: int) -> None:
    plain = os.urandom(size)
    sealed = SEALER.seal("log/1", plain)
    assert plain_size(len(sealed)) == size
    assert SEALER.open("log/1", sealed) == plain


def test_the_same_bytes_are_never_sealed_to_the_same() -> None:
    first, second = (SEALER.seal("log/1", b"hello") for _ in range(2))
    assert first != second
    assert b"hello" not in first


@pytest.mark.parametrize(
    "damage",
    [
        lambda sealed: sealed[:-1],
        lambda sealed: sealed + b"x",
        lambda sealed: b"",
        lambda sealed: sealed[:20],
        lambda sealed: sealed[: 48 + PIECE + 16],  # ends where a piece does
        lambda sealed: sealed[:48] + sealed[48 + PIECE + 16 :],  # a piece is left out
        lambda sealed: sealed[:60] + bytes([sealed[60] ^ 1]) + sealed[61:],
        lambda sealed: sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:],
        lambda sealed: b"plain" * 100,
    ],
)
def test_what_was_changed_does_not_open(damage: Callable[[bytes], bytes]) -> None:
    sealed = SEALER.seal("log/1", b"x" * (2 * PIECE + 5))
    with pytest.raises(NotOpened):
        SEALER.open("log/1", damage(sealed))


def test_bytes_belong_to_their_name_and_key() -> None:
    sealed = SEALER.seal("log/1", b"x")
    for sealer, name in ((SEALER, "log/2"), (Sealer(b"l" * 32), "log/1")):
        with pytest.raises(NotOpened):
            sealer.open(name, sealed)


@pytest.mark.parametrize(
    "name",
    [
        *(f"artifacts/ab/{'c' * 62}", f"artifacts/ab/{'c' * 62}/2-of-13"),
        *(f"packs/{'d' * 64}", f"packs/{'d' * 64}/1-of-2", f"packs/{'d' * 64}.json"),
        *("log/1.json", "key.json"),
    ],
)
def test_names_are_sealed_where_they_tell_something(name: str) -> None:
    sealed = SEALER.seal_name(name)
    assert (sealed == name) == ("/" not in name or name.startswith("log/"))
    assert sealed.rpartition(".")[2] == name.rpartition(".")[2] or "." not in name
    assert SEALER.seal_name(name) == sealed
    assert SEALER.open_name(sealed) == name
    if sealed != name:
        assert "cccc" not in sealed
        assert "dddd" not in sealed
        with pytest.raises(NotOpened):
            Sealer(b"l" * 32).open_name(sealed)


def test_the_workspaces_key_opens_by_the_users_alone() -> None:
    wrapped = wrap(b"k" * 32, b"u" * 32)
    assert unwrap(wrapped, b"u" * 32) == b"k" * 32
    for data, by in ((wrapped, b"v" * 32), (b"{}", b"u" * 32), (b"", b"u" * 32)):
        with pytest.raises(NotOpened):
            unwrap(data, by)


def test_the_key_comes_from_the_environment_or_a_command() -> None:
    command = f"{sys.executable} -c \"print('{GOOD}')\""
    assert user_key({}) is None
    assert user_key({"MLPLAN_WORKSPACE_KEY": GOOD}) == b"key of 32 bytes, for a test, ..."
    assert user_key({"MLPLAN_WORKSPACE_KEY_COMMAND": command}) == b"key of 32 bytes, for a test, ..."


@pytest.mark.parametrize(
    "environ",
    [
        {"MLPLAN_WORKSPACE_KEY": "correct horse battery staple"},
        {"MLPLAN_WORKSPACE_KEY": GOOD[:-4]},
        {"MLPLAN_WORKSPACE_KEY_COMMAND": f"{sys.executable} -c \"print('{GOOD}'); exit(3)\""},
        {"MLPLAN_WORKSPACE_KEY_COMMAND": "/no/such/program"},
        {"MLPLAN_WORKSPACE_KEY_COMMAND": "'"},
    ],
)
def test_what_is_no_key_is_refused_without_being_shown(environ: dict[str, str]) -> None:
    with pytest.raises(Refusal, match="MLP4409") as refused:
        user_key(environ)
    assert GOOD[:10] not in str(refused.value.diagnostics)
    assert "horse" not in str(refused.value.diagnostics)
