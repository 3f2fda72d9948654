"""Gates against a run's metrics and the version in service."""

from __future__ import annotations

import pytest

from mlplan.kinds.model.gates import latest, unmet


@pytest.mark.parametrize(
    ("gate", "metrics", "deployed", "reasons"),
    [
        ("accuracy >= 0.90", {"accuracy": 0.9}, None, []),
        ("accuracy >= 0.90", {"accuracy": 0.89}, None, ["`accuracy >= 0.90` is not met: accuracy is 0.89"]),
        ("loss < 1e-3", {"loss": [0.5, 0.0001]}, None, []),
        ("accuracy >= deployed.accuracy - 0.01", {"accuracy": 0.5}, None, []),
        ("accuracy >= deployed.accuracy - 0.01", {"accuracy": 0.90}, {"accuracy": 0.91}, []),
        (
            "accuracy >= deployed.accuracy - 0.01",
            {"accuracy": 0.89},
            {"accuracy": 0.91},
            [
                "`accuracy >= deployed.accuracy - 0.01` is not met: accuracy is 0.89, "
                "accuracy of the version in service 0.91"
            ],
        ),
        (
            "f1 > 0.5",
            {"accuracy": 0.9, "loss": 1},
            None,
            ["`f1 > 0.5` can't be told, since the run reported no number `f1` (it reported accuracy, loss)"],
        ),
        (
            "f1 > deployed.f1",
            {"f1": 0.9},
            {},
            ["`f1 > deployed.f1` can't be told, since the version in service has no number `f1`"],
        ),
    ],
)
def test_unmet(gate: str, metrics: dict[str, float], deployed: dict[str, float] | None, reasons: list[str]) -> None:
    assert unmet([gate], metrics, deployed) == reasons


def test_every_unmet_gate_is_told() -> None:
    assert len(unmet(["a > 1", "b > 1", "c > 1"], {"a": 0, "b": 2, "c": 0}, None)) == 2


def test_a_truth_value_is_no_number() -> None:
    assert latest(True) is None
    assert latest([1, 2.5]) == 2.5
    assert latest([]) is None
    assert latest(10**400) is None
