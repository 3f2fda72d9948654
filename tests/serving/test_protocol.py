"""The Open Inference Protocol, version 2, over HTTP with JSON: its routes, datatypes and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris  # type: ignore[import-untyped]  # has no types
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # has no types

from .conftest import Serve
from .running import Service

IRIS, KINDS = load_iris(return_X_y=True)
ROWS = [[5.1, 3.5, 1.4, 0.2], [6.2, 2.9, 4.3, 1.3]]


@pytest.fixture(scope="module")
def flowers(serve_module: Serve) -> Service:
    model = LogisticRegression(max_iter=500).fit(IRIS, KINDS)
    given = {"code_digest": "c" * 64, "manifest_digest": "a" * 64}
    return serve_module(models={"flowers/3": model}, settings=given)


def test_the_server_says_what_it_is(flowers: Service) -> None:
    answer = flowers.ask("GET", "/v2")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "name": "digits",
        "version": "1.0",
        "extensions": [],
        "parameters": {"digest": "d" * 64, "code_digest": "c" * 64, "manifest_digest": "a" * 64},
    }


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready"])
def test_health(flowers: Service, path: str) -> None:
    answer = flowers.ask("GET", path)
    assert (answer.status, answer.json) == (200, {path.rpartition("/")[2]: True})


@pytest.mark.parametrize("place", ["flowers", "flowers/versions/3"])
def test_a_model_says_what_it_is(flowers: Service, place: str) -> None:
    assert flowers.ask("GET", f"/v2/models/{place}").json == {
        "name": "flowers",
        "versions": ["3"],
        "platform": "scikit-learn",
        "inputs": [{"name": "input", "datatype": "FP64", "shape": [-1, 4]}],
        "outputs": [
            {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 3]},
            {"name": "predict", "datatype": "INT64", "shape": [-1]},
            {"name": "decision_function", "datatype": "FP64", "shape": [-1, 3]},
            {"name": "predict_log_proba", "datatype": "FP64", "shape": [-1, 3]},
        ],
        "parameters": {
            "digest": "d" * 64,
            "code_digest": "c" * 64,
            "manifest_digest": "a" * 64,
            "model_digest": "",
        },
    }
    answer = flowers.ask("GET", f"/v2/models/{place}/ready")
    assert (answer.status, answer.json) == (200, {"name": "flowers", "ready": True})


@pytest.mark.parametrize(
    "path", ["/v2/models/roses", "/v2/models/flowers/versions/4", "/v2/models/roses/ready", "/v2/x"]
)
def test_what_is_not_there_is_an_error_in_the_protocols_form(flowers: Service, path: str) -> None:
    answer = flowers.ask("GET", path)
    assert (answer.status, answer.json) == (
        404,
        {"error": "There is nothing at this path; /swagger.json lists what there is."},
    )


def tensor(data: Any, shape: list[int], datatype: str = "FP64", name: str = "x") -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


FLAT = [value for row in ROWS for value in row]


@pytest.mark.parametrize(
    "sent",
    [
        tensor(FLAT, [2, 4]),
        tensor(ROWS, [2, 4]),
        tensor(FLAT, [2, 4], "FP32"),
        tensor([5, 3, 1, 0, 6, 3, 4, 1], [2, 4], "INT64"),
        tensor([5, 3, 1, 0, 6, 3, 4, 1], [2, 4], "UINT8"),
    ],
    ids=["flat", "nested", "FP32", "INT64", "UINT8"],
)
@pytest.mark.parametrize("place", ["flowers", "flowers/versions/3"])
def test_rows_are_one_tensor(flowers: Service, sent: dict[str, Any], place: str) -> None:
    answer = flowers.ask("POST", f"/v2/models/{place}/infer", {"id": "seven", "inputs": [sent]})
    assert answer.status == 200
    assert answer.json == {
        "model_name": "flowers",
        "model_version": "3",
        "id": "seven",
        "outputs": [{"name": "predict", "shape": [2], "datatype": "INT64", "data": [0, 1]}],
    }


def test_the_outputs_asked_for_come_in_their_order(flowers: Service) -> None:
    asked = {"inputs": [tensor(ROWS, [2, 4])], "outputs": [{"name": "predict_proba"}, {"name": "predict"}]}
    answer = flowers.ask("POST", "/v2/models/flowers/infer", asked, {"x-request-id": "r-1"})
    first, second = answer.json["outputs"]
    assert answer.json["id"] == "r-1"
    assert (first["name"], first["shape"], first["datatype"], len(first["data"])) == (
        "predict_proba",
        [2, 3],
        "FP64",
        6,
    )
    assert second["data"] == [0, 1]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The body is empty; it must be JSON."),
        (b"{", "The body is not JSON: "),
        ([], "The body must be a JSON object with inputs."),
        ({}, '"inputs" must be a list of tensors, at least one.'),
        ({"inputs": [7]}, "Each input must be an object with name, shape, datatype and data."),
        ({"inputs": [tensor([1.0], [1], "FP8")]}, 'The datatype of "x" must be one of BOOL, UINT8, '),
        ({"inputs": [tensor([1.0], [])]}, 'The shape of "x" must be a list of lengths.'),
        ({"inputs": [tensor([1.0], [-1])]}, 'The shape of "x" must be a list of lengths.'),
        ({"inputs": [tensor([1.0, 2.0], [3])]}, 'The data of "x" are not of shape [3].'),
        ({"inputs": [tensor([], [2**39, 2**39, 0])]}, 'The shape of "x" has more places than there can be.'),
        ({"inputs": [tensor([[1.0, 2.0]], [2, 1])]}, 'The data of "x" are not of shape [2, 1].'),
        ({"inputs": [tensor([[1.0], [1.0, 2.0]], [3])]}, 'The data of "x" are ragged.'),
        ({"inputs": [tensor(["a"], [1])]}, 'The data of "x" are not all of number as FP64 has them.'),
        ({"inputs": [tensor([256], [1], "UINT8")]}, 'The data of "x" are not all of integer as UINT8 has them.'),
        ({"inputs": [tensor([1.5], [1], "INT8")]}, 'The data of "x" are not all of integer as INT8 has them.'),
        ({"inputs": [tensor([1], [1], "BOOL")]}, 'The data of "x" are not all of bool as BOOL has them.'),
        ({"inputs": [tensor([1], [1], "BYTES")]}, 'The data of "x" are not all of text as BYTES has them.'),
        ({"inputs": [tensor([1, 2, 3], [1, 3])]}, 'Each row of "x" must have 4 values; it has 3.'),
        ({"inputs": [tensor([], [0, 4])]}, '"x" has no rows.'),
        ({"inputs": [tensor(FLAT, [2, 4])] * 2}, "Two inputs have the same name."),
        ({"inputs": [tensor(FLAT, [2, 4])], "outputs": [{"name": "fit"}]}, 'There is no output "fit"; there are '),
        ({"inputs": [tensor(FLAT, [2, 4])], "outputs": ["predict"]}, '"outputs" must be a list of objects, '),
        ({"inputs": [tensor(FLAT, [2, 4])], "id": 7}, '"id" must be text.'),
    ],
)
def test_what_is_no_inference_is_refused(flowers: Service, body: Any, message: str) -> None:
    answer = flowers.ask("POST", "/v2/models/flowers/infer", body)
    assert answer.status == 400
    assert set(answer.json) == {"error"}
    assert answer.json["error"].startswith(message)


def test_other_refusals_have_the_protocols_form_too(flowers: Service) -> None:
    assert flowers.ask("GET", "/v2/models/flowers/infer").json == {"error": "This path doesn't take that method."}
    answer = flowers.ask("POST", "/v2/models/flowers/infer", b"a,b", {"content-type": "text/csv"})
    assert (answer.status, answer.json) == (415, {"error": "Expects Content-Type to be application/json."})
    headers = {"inference-header-content-length": "10"}
    answer = flowers.ask("POST", "/v2/models/flowers/infer", b"{}", headers)
    assert (answer.status, set(answer.json)) == (400, {"error"})


def test_columns_may_come_as_tensors_of_their_own(serve: Serve) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(IRIS, columns=["a", "b", "c", "d"])
    service = serve(models={"flowers/1": LogisticRegression(max_iter=500).fit(frame, KINDS)})
    columns = [tensor([row[place] for row in ROWS], [2], name="abcd"[place]) for place in (3, 1, 0, 2)]
    answer = service.ask("POST", "/v2/models/flowers/infer", {"inputs": columns})
    assert answer.json["outputs"][0]["data"] == [0, 1]
    answer = service.ask("POST", "/v2/models/flowers/infer", {"inputs": columns[:3]})
    assert "It lacks" in answer.json["error"]


SCRIPT = """
import json

def init():
    pass

def run(data):
    value = json.loads(data)
    return {"names": sorted(value), "sums": [sum(row) for row in next(iter(value.values()))], "note": "done"}
"""


def test_a_script_is_asked_by_its_tensors(serve: Serve) -> None:
    service = serve(script=SCRIPT, models={"one/1": b"N.", "two/4": b"N."})
    for name in ("one", "two/versions/4", "digits"):
        answer = service.ask("POST", f"/v2/models/{name}/infer", {"inputs": [tensor([1, 2, 3, 4], [2, 2], "INT32")]})
        assert answer.json["outputs"] == [
            {"name": "names", "shape": [1], "datatype": "BYTES", "data": ["data"]},
            {"name": "sums", "shape": [2], "datatype": "INT64", "data": [3, 7]},
            {"name": "note", "shape": [1], "datatype": "BYTES", "data": ["done"]},
        ]
    pair = [tensor([[1]], [1, 1], "INT8", "b"), tensor([[2]], [1, 1], "INT8", "a")]
    answer = service.ask("POST", "/v2/models/one/infer", {"inputs": pair, "outputs": [{"name": "names"}]})
    assert answer.json["outputs"] == [{"name": "names", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]}]


def test_every_datatype_goes_in_and_comes_out(serve: Serve) -> None:
    script = "import json\nimport numpy as np\ndef init(): pass\ndef run(data):\n"
    script += (
        "    return {n: np.array(v, dtype='str' if n == 'object' else n) for n, v in json.loads(data).items()}\n"
    )
    service = serve(script=script)
    kinds = {
        "BOOL": "bool", "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64", "INT8": "int8",
        "INT16": "int16", "INT32": "int32", "INT64": "int64", "FP16": "float16", "FP32": "float32", "FP64": "float64",
        "BYTES": "object",
    }  # fmt: skip
    values: dict[str, Any] = {"BOOL": [True, False], "BYTES": ["ä", ""]}
    sent = [tensor(values.get(kind, [1, 2]), [2], kind, dtype) for kind, dtype in kinds.items()]
    got = service.ask("POST", "/v2/models/digits/infer", {"inputs": sent}).json["outputs"]
    assert [(item["name"], item["datatype"], item["shape"], item["data"]) for item in got] == [
        (dtype, kind, [2], values.get(kind, [1, 2])) for kind, dtype in kinds.items()
    ]


def test_numbers_come_back_as_they_were(flowers: Service) -> None:
    model = LogisticRegression(max_iter=500).fit(IRIS, KINDS)
    asked = {"inputs": [tensor(ROWS, [2, 4])], "outputs": [{"name": "decision_function"}]}
    data = flowers.ask("POST", "/v2/models/flowers/infer", asked).json["outputs"][0]["data"]
    assert np.reshape(data, (2, 3)).tolist() == model.decision_function(ROWS).tolist()
