"""Masking: a secret in every form, cut anywhere, beside and inside others; and nothing else is touched."""

from __future__ import annotations

import base64
import json
import os
import threading
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlplan.machine.masking import Mask, carry, masked

SECRET = "s3cr3t of/+=&%"


def in_blocks(blocks: list[bytes], secrets: list[str]) -> bytes:
    mask = Mask(secrets)
    return b"".join([*(mask.feed(block) for block in blocks), mask.end()])


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_masked_however_it_is_written(shown: str) -> None:
    assert masked(f"before {shown} after\n", [SECRET]) == "before *** after\n"


def test_a_secret_that_json_quotes() -> None:
    assert masked(json.dumps({"a": 'ö"pen\\'}), ['ö"pen\\']) == '{"a": "***"}'
    assert masked(repr({"a": "tab\there"}), ["tab\there"]) == "{'a': '***'}"


@pytest.mark.parametrize("before", [b"x", b"xy", b"xyz"])
def test_a_secret_in_the_middle_of_what_was_encoded(before: bytes) -> None:
    encoded = base64.b64encode(before + b"canary-canary" + b"zz").decode()
    shown = masked(encoded, ["canary-canary"])
    assert "***" in shown
    assert b"anary" not in base64.b64decode(shown.replace("***", "")[: len(shown) // 4 * 4] + "====")


def test_each_line_of_a_secret_counts_and_short_ones_do_not() -> None:
    assert masked("key: line one\nof key: abc", ["line one\nabc\n"]) == "key: ***\nof key: abc"
    assert masked("a bad cab", ["abc", "a", ""]) == "a bad cab"
    assert masked("abcd", ["abcd"]) == "***"


def test_secrets_that_begin_alike_or_overlap() -> None:
    assert masked("-abcdef-abcd-", ["abcd", "abcdef"]) == "-***-***-"
    assert masked("-wxabcd-", ["wxab", "abcd"]) == "-***-"
    assert masked("-abcdabcd-", ["abcd"]) == "-******-"


@pytest.mark.parametrize("at", range(1, len(SECRET)))
def test_a_secret_that_comes_in_two_blocks(at: int) -> None:
    text = f"<{SECRET}>".encode()
    assert in_blocks([text[: at + 1], text[at + 1 :]], [SECRET]) == b"<***>"


def test_what_cannot_be_a_secret_goes_on_at_once() -> None:
    mask = Mask(["password"])
    assert mask.feed(b"epoch 1\npas") == b"epoch 1\n"
    assert mask.feed(b"t 2\n") == b"past 2\n"
    assert mask.feed(b"passwor") == b""
    assert mask.end() == b"passwor"


@given(st.lists(st.text("ab", min_size=4, max_size=7), max_size=3), st.lists(st.text("abc", max_size=9), max_size=9))
def test_where_blocks_end_makes_no_difference(secrets: list[str], blocks: list[str]) -> None:
    text = "".join(blocks)
    covered = {
        place
        for secret in secrets
        for at in range(len(text))
        if text.startswith(secret, at)
        for place in range(at, at + len(secret))
    }
    shown = in_blocks([block.encode() for block in blocks], secrets).decode()
    assert shown == masked(text, secrets)
    assert shown.replace("***", "") == "".join(c for place, c in enumerate(text) if place not in covered)


def test_what_cannot_be_written_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = iter([b"begin ", b"12345", b"678", b"9", b""])
    full = iter([False, True, True, False, False])
    written: list[bytes] = []

    def write(descriptor: int, text: bytes) -> int:
        if next(full):
            raise OSError(28, "No space left on device")
        written.append(text)
        return len(text)

    monkeypatch.setattr("mlplan.machine.masking.os.read", lambda descriptor, size: next(blocks))
    monkeypatch.setattr("mlplan.machine.masking.os.write", write)
    carry(0, 1, [])
    assert b"".join(written) == b"begin \n[mlplan: 8 bytes of output could not be written]\n9"


def test_output_is_carried_to_its_end() -> None:
    inner, outer = os.pipe(), os.pipe()
    carrier = threading.Thread(target=carry, args=(inner[0], outer[1], [SECRET]))
    carrier.start()
    os.write(inner[1], SECRET[:5].encode())
    os.write(inner[1], SECRET[5:].encode() + b"\n")
    assert os.read(outer[0], 100) == b"***\n"
    os.close(inner[1])
    carrier.join()
    for descriptor in (inner[0], *outer):
        os.close(descriptor)
