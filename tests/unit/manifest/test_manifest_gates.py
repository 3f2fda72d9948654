"""Gates over metrics."""

from __future__ import annotations

import pytest

from mlplan.manifest.gates import Gate, parse_gate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accuracy >= 0.9", Gate("accuracy", ">=", "", 0.9)),
        ("  loss<1e-3 ", Gate("loss", "<", "", 0.001)),
        ("error_rate != .5", Gate("error_rate", "!=", "", 0.5)),
        ("shift > -1", Gate("shift", ">", "", -1.0)),
        ("val/f1.macro == 1", Gate("val/f1.macro", "==", "", 1.0)),
        ("accuracy >= deployed.accuracy", Gate("accuracy", ">=", "accuracy", 0.0)),
        ("accuracy >= deployed.accuracy - 0.01", Gate("accuracy", ">=", "accuracy", -0.01)),
        ("loss <= deployed.val_loss + 2", Gate("loss", "<=", "val_loss", 2.0)),
    ],
)
def test_parse(text: str, expected: Gate) -> None:
    assert parse_gate(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "accuracy",
        "accuracy >",
        "> 0.9",
        "accuracy => 0.9",
        "a >= 0.9 and b > 1",
        "a >= b",
        "a > deployed.",
        "1 > 0",
    ],
)
def test_no_gate(text: str) -> None:
    assert parse_gate(text) is None


def test_against_a_number() -> None:
    gate = Gate("accuracy", ">=", "", 0.9)
    assert gate.holds(0.9)
    assert not gate.holds(0.89)
    assert gate.bound(deployed=0.99) == 0.9


def test_against_what_is_deployed() -> None:
    gate = Gate("accuracy", ">", "accuracy", -0.25)
    assert gate.bound(deployed=0.75) == 0.5
    assert gate.holds(0.51, deployed=0.75)
    assert not gate.holds(0.5, deployed=0.75)
