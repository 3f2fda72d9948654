"""Models in ONNX that serve themselves."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.datasets import load_iris  # type: ignore[import-untyped]  # has no types
from sklearn.linear_model import LinearRegression, LogisticRegression  # type: ignore[import-untyped]  # has no types

from .conftest import Serve

onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")

IRIS, KINDS = load_iris(return_X_y=True)
IRIS = IRIS.astype("float32")


def exported(model: Any, **options: Any) -> bytes:
    made: bytes = skl2onnx.to_onnx(model, IRIS[:1], options=options or None).SerializeToString()
    return made


@pytest.mark.parametrize("zipmap", [False, True], ids=["a table of scores", "scores by class"])
def test_a_classifier(serve: Serve, zipmap: bool) -> None:
    model = LogisticRegression(max_iter=500).fit(IRIS, KINDS)
    service = serve(models={"flowers/1/model.onnx": exported(model, zipmap=zipmap)})
    rows = IRIS[::30].tolist()
    assert service.score({"data": rows, "method": "predict"}).json == {"predict": model.predict(IRIS[::30]).tolist()}
    scores = service.score({"data": rows}).json["predict_proba"]
    assert scores == [pytest.approx(row, abs=1e-5) for row in model.predict_proba(IRIS[::30]).tolist()]
    answer = service.score({"data": [[1, 2]]})
    assert (answer.status, answer.json["message"]) == (400, 'Each row of "data" must have 4 values; it has 2.')
    tensor = {"name": "x", "shape": [1, 4], "datatype": "FP32", "data": rows[0]}
    assert service.ask("POST", "/v2/models/flowers/infer", {"inputs": [tensor]}).json["outputs"][0]["data"] == [0]


def test_a_regressor(serve: Serve) -> None:
    model = LinearRegression().fit(IRIS, KINDS)
    service = serve(models={"sizes/1/model.onnx": exported(model)})
    found = service.score({"data": IRIS[:2].tolist()}).json["predict"]
    assert found == pytest.approx(model.predict(IRIS[:2]).tolist(), abs=1e-4)


def test_what_is_no_model_fails_with_its_reason(serve: Serve) -> None:
    service = serve(models={"sizes/1/model.onnx": b"no model"}, wait=False)
    assert "model.onnx" in service.wait("failed")["error"]
