"""What scripts report, and what is read back."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

import mlplan
from mlplan.errors import Refusal
from mlplan.tracking.metrics import read_metrics
from mlplan.tracking.shim._mlplan_tracking import report


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The outputs folder of the run that this process now belongs to."""
    folder = tmp_path / "outputs"
    monkeypatch.setenv("MLPLAN_OUTPUTS", str(folder))
    return folder


def test_no_file_is_no_metric(tmp_path: Path) -> None:
    assert read_metrics(str(tmp_path)) == {}


def test_one_value_is_a_value_and_several_are_a_series(outputs: Path) -> None:
    mlplan.log_metric("accuracy", 0.91)
    mlplan.log_metric("loss", 2)
    mlplan.log_metric("loss", 1.5)
    report("loss", "list", [1, 0.5])
    report("single", "list", [7])

    assert read_metrics(str(outputs)) == {"accuracy": 0.91, "loss": [2, 1.5, 1, 0.5], "single": [7]}


def test_rows_and_tables_are_columns(outputs: Path) -> None:
    report("fold", "row", {"k": 1, "auc": 0.8})
    report("fold", "row", {"k": 2, "auc": 0.9})
    report("fold", "table", {"k": [3, 4]})

    assert read_metrics(str(outputs)) == {"fold": {"k": [1, 2, 3, 4], "auc": [0.8, 0.9]}}


def test_numbers_of_numpy_and_numbers_that_json_has_not(outputs: Path) -> None:
    import numpy as np

    mlplan.log_metric("a", np.float32(0.5))
    mlplan.log_metric("b", np.array([[1, 2]]))
    mlplan.log_metric("c", float("nan"))
    mlplan.log_metric("d", -np.inf)
    mlplan.log_metric("e", True)
    mlplan.log_metric("f", {"x": (1, None)})

    assert read_metrics(str(outputs)) == {
        "a": 0.5,
        "b": [[1, 2]],
        "c": "NaN",
        "d": "-Infinity",
        "e": True,
        "f": {"x": [1, None]},
    }


def test_a_value_that_is_no_metric_is_refused_where_it_is_logged(outputs: Path) -> None:
    with pytest.raises(TypeError, match="a metric can't hold a object"):
        mlplan.log_metric("a", object())
    with pytest.raises(TypeError, match="a metric's name is a text"):
        mlplan.log_metric(1, 1)  # type: ignore[arg-type]  # as untyped scripts may

    assert read_metrics(str(outputs)) == {}


def test_outside_of_a_run_a_metric_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLPLAN_OUTPUTS", raising=False)

    mlplan.log_metric("accuracy", 0.91)

    assert capsys.readouterr().out == "accuracy: 0.91\n"


def _log_many(worker: int) -> None:
    for step in range(200):
        mlplan.log_metric(f"worker {worker}", step)
        mlplan.log_metric("all", "x" * 5000)


def test_many_processes_report_at_once(outputs: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        pool.map(_log_many, range(4))

    metrics = read_metrics(str(outputs))
    assert metrics["all"] == ["x" * 5000] * 800
    assert [metrics[f"worker {worker}"] for worker in range(4)] == [list(range(200))] * 4


def test_the_scripts_own_file_counts_over_what_it_logged(outputs: Path) -> None:
    mlplan.log_metric("accuracy", 0.1)
    mlplan.log_metric("loss", 0.2)
    (outputs / "metrics.json").write_text('{"accuracy": 0.9, "auc": NaN}')

    assert read_metrics(str(outputs)) == {"accuracy": 0.9, "loss": 0.2, "auc": "NaN"}


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("metrics.json", "{", "Expecting property name"),
        ("metrics.json", "[1]", "it holds a list"),
        ("metrics.json", "", "Expecting value"),
        ("metrics.json", "[" * 100_000, "recursion"),
        ("metrics.jsonl", '{"name": "a", "value": 1}\n{"na', "line 2 is no JSON"),
        ("metrics.jsonl", "3\n", "line 1 is no record"),
        ("metrics.jsonl", '{"name": "a"}\n', "list"),
        ("metrics.jsonl", '{"name": "a", "table": 3}\n', "items"),
        ("metrics.json", '{"\\ud800": 1}', "surrogates not allowed"),
        ("metrics.jsonl", '{"name": "\\ud800", "value": 1}\n', "surrogates not allowed"),
    ],
)
def test_a_broken_file_is_told(tmp_path: Path, file: str, text: str, reason: str) -> None:
    (tmp_path / file).write_text(text)

    with pytest.raises(Refusal, match="MLP8006") as refused:
        read_metrics(str(tmp_path))

    (diagnostic,) = refused.value.diagnostics
    assert f"outputs/{file}" in diagnostic.detail
    assert reason in diagnostic.detail
    assert "log_metric" in diagnostic.hint


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(Refusal, match="MLP8006"):
        read_metrics(str(tmp_path))


def test_what_is_read_back_can_be_put_into_the_state(outputs: Path) -> None:
    mlplan.log_metric("a", float("inf"))
    (outputs / "metrics.json").write_text('{"b": -Infinity, "c": 1e400}')

    read = json.dumps(read_metrics(str(outputs)), allow_nan=False)
    assert read == '{"a": "Infinity", "b": "-Infinity", "c": "1e400"}'
