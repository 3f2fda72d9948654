"""Scoring scripts as the retired system's documentation showed them, unchanged, imports included: `scripts/`."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

import pytest
from sklearn.datasets import load_iris  # type: ignore[import-untyped]  # has no types
from sklearn.linear_model import LinearRegression, LogisticRegression  # type: ignore[import-untyped]  # has no types

from mlplan.serving import collect

from .conftest import Serve
from .running import Service

pytest.importorskip("inference_schema")
pytest.importorskip("pandas")

IRIS, KINDS = load_iris(return_X_y=True)
CLASSIFIER = LogisticRegression(max_iter=500).fit(IRIS, KINDS)
REGRESSOR = LinearRegression().fit(IRIS, KINDS)
ROWS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts")


def script(name: str) -> str:
    with open(os.path.join(FOLDER, f"{name}.py"), encoding="utf-8") as stream:
        return stream.read()


def start(serve: Serve, name: str, models: Mapping[str, Any] | None = None, **described: Any) -> Service:
    return serve(script=script(name), models=models, **described)


def test_the_tutorials_script(serve: Serve) -> None:
    service = start(serve, "digits", {"sklearn_mnist/3": CLASSIFIER})
    answer = service.score({"data": ROWS})
    assert (answer.status, answer.json) == (200, [0, 2])
    assert service.score({"rows": ROWS}).status == 500


def test_two_models(serve: Serve) -> None:
    service = start(serve, "two_models", {"small/1": CLASSIFIER, "large/2": REGRESSOR})
    answer = service.score({"data": ROWS[:1]}).json
    assert answer["first"] == [0]
    assert answer["second"] == pytest.approx(REGRESSOR.predict(ROWS[:1]).tolist(), abs=1e-12)
    assert service.score({"rows": 1}).json == "'data'"
    assert "azureml-models " in service.log


def test_a_template_that_parses_the_models_folder(serve: Serve) -> None:
    answer = start(serve, "template_name", {"my-model/12": CLASSIFIER}).score({})
    assert answer.json == '{"model": "my-model", "version": 12, "file": "model.pkl", "here": true}'


def test_numpy_by_the_schema_decorators(serve: Serve) -> None:
    service = start(serve, "numpy_schema", {"sklearn_regression_model.pkl/1": REGRESSOR})
    rows = [[10, 9, 8, 7], [1, 2, 3, 4]]
    assert service.score({"data": rows}).json == pytest.approx(REGRESSOR.predict(rows).tolist())
    assert service.score({"data": [[1, 2]]}).status == 400
    described = service.ask("GET", "/swagger.json?version=2").json["definitions"]["ServiceInput"]
    assert described["example"] == {"data": [[10, 9, 8, 7]]}
    assert described["properties"]["data"]["format"] == "numpy.ndarray"


def test_nested_inputs_of_a_report(serve: Serve) -> None:
    inputs = {"input1": [[1, 2, 3], [4, 5, 6]], "input2": [{"name": "a", "age": 1}, {"name": "b", "age": 2}]}
    service = start(serve, "report_schema")
    answer = service.score({"Inputs": {**inputs, "input3": 0.5}, "GlobalParameters": 10})
    assert (answer.status, answer.json) == (200, {"Results": [22.0, 50.0]})
    assert service.score({"Inputs": inputs["input1"]}).status == 400


def test_a_data_frame_and_a_default(serve: Serve) -> None:
    service = start(serve, "pandas_schema")
    rows = [{"when": "2020-01-03", "n": 5}, {"when": "2020-02-01", "n": 1}]
    assert service.score({"data": rows}).json == [7, 32]
    assert service.score({"data": rows, "method": "other"}).json == ["other"]


FORM = (
    b'--edge\r\nContent-Disposition: form-data; name="note"\r\n\r\nm\xc3\xbcsli & more\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="image"; filename="cat.png"\r\nContent-Type: image/png\r\n\r\n'
    b"\x89PNG\r\n\x1a\n\x00\xff\r\n--edge--\r\n"
)


def test_a_file_in_a_form_by_raw_http(serve: Serve) -> None:
    service = start(serve, "image")
    answer = service.ask("POST", "/score", FORM, {"content-type": 'multipart/form-data; boundary="edge"'})
    assert (answer.status, answer.json) == (200, [10, "cat.png", "müsli & more"])
    assert service.ask("GET", "/score?a=1").body == b"/score?a=1"
    assert service.ask("POST", "/score", b"x").status == 500


def test_headers_of_its_own_by_raw_http(serve: Serve) -> None:
    service = start(serve, "cors")
    answer = service.ask("POST", "/score", b"abc")
    assert (answer.status, answer.body) == (200, b"abc")
    assert answer.headers["access-control-allow-origin"] == "http://www.example.com"
    assert answer.headers["x-ms-run-function-failed"] == "False"
    failed = service.ask("GET", "/score")
    assert (failed.status, failed.body) == (500, b"bad request")
    assert failed.headers["x-ms-run-function-failed"] == "True"


def collected(folder: str, count: int) -> dict[str, list[Any]]:
    until = time.monotonic() + 20
    while len(list(collect.read(folder))) < count and time.monotonic() < until:
        time.sleep(0.02)
    found: dict[str, list[Any]] = {}
    for place, record in collect.read(folder):
        found.setdefault("/".join(place), []).append(record)
    return found


def test_the_newer_collector(serve: Serve, tmp_path: os.PathLike[str]) -> None:
    folder = os.path.join(tmp_path, "kept")
    settings = {"collect": {"folder": folder, "inputs": False, "outputs": False}}
    service = start(serve, "collect_newer", {"best_model/4": CLASSIFIER}, settings=settings)
    assert service.score({"data": ROWS}).json == [0, 2]
    found = collected(folder, 3)
    assert [(row["f1"], row["f4"]) for row in found["best_model/4/inputs"]] == [(5.1, 0.2), (6.7, 2.3)]
    assert found["best_model/4/predictions"] == [{"0": 0, "1": 2}]  # one dimension is one row


def test_the_first_generation(serve: Serve, tmp_path: os.PathLike[str]) -> None:
    folder = os.path.join(tmp_path, "kept")
    settings = {"collect": {"folder": folder, "inputs": False, "outputs": False}}
    service = start(serve, "collect_first", settings=settings)
    rows = [{"sepal length": 3.0, "sepal width": 3.6}]
    assert service.score({"input_df": rows}).json == '"True"'
    found = collected(folder, 2)
    assert found["model.pkl/default/inputs"][0]["sepal width"] == 3.6
    assert found["model.pkl/default/general"][0]["0"] is True


def test_the_requests_headers(serve: Serve) -> None:
    answer = start(serve, "headers").score({"data": [1, 2]}, {"x-ms-request-id": "abc"})
    assert answer.json == {"result": 3, "id": "abc"}
