"""What a service keeps of its requests, and what it leaves out."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlplan.serving import collect
from mlplan.serving.collect import Collector, Place, Plan

from .conftest import Serve
from .running import Service

DOUBLE = "import json\ndef init(): pass\ndef run(data): return [2 * row[0] for row in json.loads(data)['data']]\n"
PLACE = Place("m", "3", "requests")


def eventually(check: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not check() and time.monotonic() < until:
        time.sleep(0.02)
    assert check()


def kept(folder: str) -> list[Any]:
    return [record for _, record in collect.read(folder)]


def test_requests_and_answers_are_kept_by_model_version_and_day(serve: Serve, tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    service = serve(script=DOUBLE, models={"mymodel/3": b"N."}, settings={"collect": {"folder": folder}})
    service.score({"data": [[1], [2]]}, {"x-request-id": "a1"})
    assert service.ask("POST", "/score", b"no json").status == 500
    eventually(lambda: len(kept(folder)) == 1)
    ((place, record),) = collect.read(folder)
    assert place == Place("mymodel", "3", "requests")
    assert record.pop("time")[:4].isdigit()
    assert record == {"request_id": "a1", "input": {"data": [[1], [2]]}, "output": [2, 4]}
    (path,) = [path for path, _, _ in collect.files(folder)]
    assert os.path.dirname(path) == os.path.join(
        folder, "mymodel", "3", "requests", *time.strftime("%Y/%m/%d", time.gmtime()).split("/")
    )


def test_outputs_alone_may_be_kept(serve: Serve, tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    service = serve(script=DOUBLE, settings={"collect": {"folder": folder, "inputs": False}})
    service.score({"data": [[1]]})
    eventually(lambda: len(kept(folder)) == 1)
    ((place, record),) = collect.read(folder)
    assert place == Place("digits", "1", "requests")
    assert set(record) == {"time", "request_id", "output"}


def test_what_is_written_survives_a_stop(serve: Serve, tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    service = serve(script=DOUBLE, settings={"collect": {"folder": folder}})
    for _ in range(20):
        service.score({"data": [[1]]})
    service.stop()
    assert len(kept(folder)) == 20


def test_a_sample_is_a_share(tmp_path: Path) -> None:
    for share, low, high in ((0.0, 0, 0), (0.5, 300, 700), (1.0, 1000, 1000)):
        folder = str(tmp_path / str(share))
        collector = Collector(Plan(folder, sample=share), lambda: None)
        for _ in range(1000):
            collector.request(PLACE, "r", b"{}", b"[]")
        collector.close()
        assert low <= len(kept(folder)) <= high


@pytest.mark.parametrize(
    ("body", "columns", "left"),
    [
        ({"data": [{"a": 1, "b": 2}]}, None, {"data": [{"a": 1}]}),
        ({"data": [[1, 2], [3, 4], [5]]}, ["a", "b"], {"data": [[1], [3], [5]]}),
        ({"x": {"columns": ["b", "a"], "data": [[1, 2]]}}, None, {"x": {"columns": ["a"], "data": [[2]]}}),
        (
            {"inputs": [{"name": "b", "data": [1]}, {"name": "a", "data": [2]}]},
            None,
            {"inputs": [{"name": "a", "data": [2]}]},
        ),
        (
            {"inputs": [{"name": "x", "shape": [2, 2], "data": [1, 2, 3, 4]}, {"shape": [2], "data": [5]}]},
            ["a", "b"],
            {"inputs": [{"name": "x", "shape": [2, 1], "data": [1, 3]}, {"shape": [2], "data": [5]}]},
        ),
        (
            {"outputs": [{"shape": [1, 2], "data": [1, 2]}]},
            ["a", "b"],
            {"outputs": [{"shape": [1, 2], "data": [1, 2]}]},
        ),
        ({"a": {"b": {"c": 1}, "d": [{"b": 1, "e": 2}]}}, None, {"a": {"d": [{"e": 2}]}}),
        ([1, "b"], None, [1, "b"]),
    ],
)
def test_columns_are_left_out_in_every_form(body: Any, columns: list[str] | None, left: Any) -> None:
    assert collect.leave_out(body, frozenset({"b"}), columns) == left


def test_of_a_scripts_rows_columns_are_left_out_by_number() -> None:
    body = {"data": [[1, 2, 3], [4], "5"], "other": [[1, 2, 3]]}
    assert collect.leave_out(body, frozenset({"0", "2"}), None) == {"data": [[2], [], "5"], "other": [[1, 2, 3]]}


def test_files_are_turned_and_the_oldest_go(tmp_path: Path) -> None:
    folder = str(tmp_path)
    collector = Collector(Plan(folder, max_bytes=5000, max_file_bytes=1000), lambda: None)
    for number in range(200):
        collector.request(PLACE, f"r{number}", b'{"data": [1, 2, 3]}', b"[4, 5, 6]")
    collector.close()
    found = list(collect.files(folder))
    assert 4 <= len(found) <= 6
    assert sum(size for _, _, size in found) <= 5000
    assert max(size for _, _, size in found) <= 1000
    assert max(int(record["request_id"][1:]) for record in kept(folder)) == 199


def test_what_can_not_be_written_is_counted_and_harms_nobody(serve: Serve, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    service = serve(script=DOUBLE, settings={"collect": {"folder": str(blocked)}})
    assert service.score({"data": [[1]]}).json == [2]
    eventually(lambda: b"mlplan_collect_dropped_total 1\n" in service.ask("GET", "/metrics").body)
    assert "not collected: " in service.log


def test_an_unknown_member_of_the_plan_is_refused(serve: Serve) -> None:
    service = serve(script=DOUBLE, settings={"collect": {"input": True}}, wait=False)
    assert "settings.collect: unknown: input" in service.wait("failed")["error"]


NEWER = """
import json
import numpy as np
from azureml.monitoring import ModelDataCollector

def init():
    global inputs, predictions, odd
    inputs = ModelDataCollector("best", designation="inputs", feature_names=["a", "b"])
    predictions = ModelDataCollector("best", designation="predictions", feature_names=["p"])
    odd = ModelDataCollector("best", designation="nonesuch")

def run(data):
    rows = np.array(json.loads(data))
    correlations = inputs.collect(rows, "me")
    answers = rows.sum(axis=1)
    predictions.collect(predictions.add_correlations(answers.reshape(-1, 1), correlations))
    assert odd.collect([1]) is None
    return [answers.tolist(), sorted(correlations or {})]
"""


def collected_by(service: Service, folder: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for place, record in collect.read(folder):
        found.setdefault("/".join(place), []).append(record)
    return found


def test_the_newer_collector_keeps_its_rows(serve: Serve, tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    settings = {"collect": {"folder": folder, "inputs": False, "outputs": False}}
    service = serve(script=NEWER, models={"best/2": b"N."}, settings=settings)
    answers, names = service.score([[1, 2], [3, 4]]).json
    assert answers == [3, 7]
    assert len(names) == 8
    eventually(lambda: len(kept(folder)) == 4)
    found = collected_by(service, folder)
    assert set(found) == {"best/2/inputs", "best/2/predictions"}
    first = found["best/2/inputs"][0]
    assert (first["a"], first["b"], first["$aml_model_version"], first["$aml_service_name"]) == (1, 2, "2", "digits")
    assert first["$aml_dc_correlation_id"].startswith("me-")
    assert found["best/2/predictions"][0]["$aml_dc_correlation_id"] == first["$aml_dc_correlation_id"]


def test_the_collector_is_off_unless_asked_for(serve: Serve) -> None:
    service = serve(script=NEWER, models={"best/2": b"N."})
    assert service.score([[1, 2]]).json == [[3], []]
    assert "Nothing is collected: this deployment has no collect" in service.log


OLDER = """
from azureml.datacollector import ModelDataCollector

def init():
    global rows
    rows = ModelDataCollector("model.pkl", identifier="inputs")

def run(data):
    rows.collect([[1, 2]])
    return "ok"
"""


def test_the_older_collector_keeps_its_rows_where_the_variable_asks_for_it(serve: Serve) -> None:
    service = serve(script=OLDER, env={"AML_MODEL_DC_STORAGE_ENABLED": "true"})
    assert json.loads(service.score({}).body) == "ok"
    folder = os.path.join(service.folder, "collected")
    eventually(lambda: len(kept(folder)) == 1)
    ((name, (row,)),) = collected_by(service, folder).items()
    assert name == "model.pkl/default/inputs"
    assert (row["0"], row["1"]) == (1, 2)
    assert row["$Timestamp"]
    assert row["$CorrelationId"]


def test_the_older_collectors_rows_carry_the_requests_id(serve: Serve) -> None:
    service = serve(script=OLDER, env={"AML_MODEL_DC_STORAGE_ENABLED": "true"})
    service.score({}, {"x-request-id": "r-7"})
    service.stop()
    assert [row["$RequestId"] for row in kept(os.path.join(service.folder, "collected"))] == ["r-7"]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_script_collects_nothing_of_the_sample_and_of_tests(serve: Serve, is_async: bool, tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    script = NEWER.replace("def run", "async def run") if is_async else NEWER
    settings = {"collect": {"folder": folder, "inputs": False, "outputs": False}, "sample": [[5, 6]]}
    service = serve(script=script, models={"best/2": b"N."}, settings=settings)
    assert service.score([[7, 8]], {"x-mlplan-collect": "no"}).json[0] == [15]
    assert service.score([[1, 2]], {"x-request-id": "r-1"}).json[0] == [3]
    service.stop()
    found = collected_by(service, folder)
    assert [(row["a"], row["$aml_request_id"]) for row in found["best/2/inputs"]] == [(1, "r-1")]
    assert [(row["p"], row["$aml_request_id"]) for row in found["best/2/predictions"]] == [(3, "r-1")]


def test_what_is_left_out_a_script_does_not_collect_either(serve: Serve, tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    service = serve(
        script=NEWER, models={"best/2": b"N."}, settings={"collect": {"folder": folder, "without": ["b"]}}
    )
    service.score([[1, 2]])
    service.stop()
    (row,) = collected_by(service, folder)["best/2/inputs"]
    assert row["a"] == 1
    assert "b" not in row


SECOND = """
import json
import pandas as pd
from azureml.ai.monitoring import Collector
from azureml.ai.monitoring.context import BasicCorrelationContext

def init():
    global inputs, outputs, problems
    problems = []
    inputs = Collector(name="model_inputs", on_error=lambda error: problems.append(str(error)))
    outputs = Collector(name="model_outputs")

def run(data):
    asked = json.loads(data)
    frame = pd.DataFrame(asked["rows"])
    context = inputs.collect(frame, BasicCorrelationContext(id=asked["id"]) if "id" in asked else None)
    outputs.collect(pd.DataFrame({"sum": frame.sum(axis=1)}), context)
    inputs.collect([1, 2])
    return [str(context), context.is_success(), context.get_message(), problems]
"""


def test_the_second_generation_keeps_the_rows_of_frames(serve: Serve, tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    folder = str(tmp_path / "data")
    settings = {"collect": {"folder": folder, "inputs": False, "outputs": False}}
    service = serve(script=SECOND, models={"best/2": b"N."}, settings=settings)
    asked = {"rows": [{"a": 1, "b": 2}, {"a": 3, "b": 4}], "id": "mine"}
    answer = service.score(asked, {"x-request-id": "r-1"})
    assert answer.json == ["mine", True, "", ["Not collected: list is no DataFrame"]]
    service.stop()
    found = collected_by(service, folder)
    assert set(found) == {"best/2/model_inputs", "best/2/model_outputs"}
    assert [(row["a"], row["b"]) for row in found["best/2/model_inputs"]] == [(1, 2), (3, 4)]
    assert [row["sum"] for row in found["best/2/model_outputs"]] == [3, 7]
    ids = {(row["$aml_dc_correlation_id"], row["$aml_request_id"]) for rows in found.values() for row in rows}
    assert ids == {("mine", "r-1")}


def test_the_second_generation_is_off_unless_asked_for(serve: Serve) -> None:
    pytest.importorskip("pandas")
    made, taken, why, problems = serve(script=SECOND).score({"rows": [{"a": 1}]}).json
    assert len(made) == 36
    assert (taken, why, problems) == (False, "Nothing is collected: this deployment has no collect", [])


def test_a_collector_of_the_second_generation_has_a_name_for_a_folder(serve: Serve) -> None:
    script = SECOND.replace("model_outputs", "../requests")
    service = serve(script=script, wait=False)
    assert "A collector can't be named '../requests'" in service.wait("failed")["error"]
