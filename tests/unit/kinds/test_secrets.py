"""What is recorded of a secret: by one key and another, at hand and not."""

from __future__ import annotations

import pytest

from mlplan.fingerprint import Part, Parts
from mlplan.kinds.secrets import _parts, secrets_in

KEY_A, KEY_B, KEY_C = "aaaaaaaa", "bbbbbbbb", "cccccccc"


def by(key: str, value: str) -> str:
    """A digest as `keyed_digest` makes it: it ends in the key's mark."""
    return f"{value}-{key}"


def secret(digest: str, second: Part | None = None) -> Parts:
    first = {"secret X": Part("result", digest)}
    return first if second is None else {**first, "secret X, second digest": second}


def mark(digest: str) -> Part:
    return Part("mark", digest)


@pytest.mark.parametrize(
    ("recorded", "now", "expected"),
    [
        ({}, by(KEY_A, "one"), secret(by(KEY_A, "one"))),
        ({}, None, secret("not at hand")),
        (secret(by(KEY_A, "one")), by(KEY_A, "one"), secret(by(KEY_A, "one"))),
        (secret(by(KEY_A, "one")), by(KEY_A, "two"), secret(by(KEY_A, "two"))),
        (secret(by(KEY_A, "one")), None, secret(by(KEY_A, "one"))),
        (secret(by(KEY_A, "one")), by(KEY_B, "one"), secret(by(KEY_A, "one"), mark(by(KEY_B, "one")))),
        (secret("not at hand"), by(KEY_B, "one"), secret("not at hand", mark(by(KEY_B, "one")))),
        *(
            (secret(by(KEY_A, "one"), mark(by(KEY_B, "one"))), now, secret(by(KEY_A, "one"), mark(by(KEY_B, "one"))))
            for now in (None, by(KEY_A, "one"), by(KEY_B, "one"))
        ),
        (secret(by(KEY_A, "one"), mark(by(KEY_B, "one"))), by(KEY_A, "two"), secret(by(KEY_A, "two"))),
        (secret(by(KEY_A, "one"), mark(by(KEY_B, "one"))), by(KEY_B, "two"), secret(by(KEY_B, "two"))),
        (
            secret(by(KEY_A, "one"), mark(by(KEY_B, "one"))),
            by(KEY_C, "one"),
            secret(by(KEY_A, "one"), mark(by(KEY_C, "one"))),
        ),
    ],
)
def test_what_is_recorded(recorded: Parts, now: str | None, expected: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLPLAN_DIGEST_KEY", raising=False)
    assert _parts("secret X", now, recorded) == expected


def test_a_shared_key_is_worth_an_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLPLAN_DIGEST_KEY", "shared")
    recorded = secret(by(KEY_A, "one"))
    second = Part("label", by(KEY_B, "one"))
    assert _parts("secret X", by(KEY_B, "one"), recorded) == secret(by(KEY_A, "one"), second)


def test_the_secrets_in_a_value_are_found_wherever_they_stand() -> None:
    value = {"env": {"A": "Bearer ${{ secret.b }}"}, "source": ["${{ secret.a }}", {"x": ("${{ secret.b }}", 1)}]}
    assert secrets_in(value) == ["a", "b"]
