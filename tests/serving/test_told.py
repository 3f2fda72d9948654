"""What a service tells of its input, it takes: a request made from its metadata or its description is answered."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer  # type: ignore[import-untyped]  # has no types
from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]  # has no types
from sklearn.feature_extraction.text import CountVectorizer  # type: ignore[import-untyped]  # has no types
from sklearn.impute import SimpleImputer  # type: ignore[import-untyped]  # has no types
from sklearn.linear_model import LinearRegression, LogisticRegression  # type: ignore[import-untyped]  # has no types
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]  # has no types
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler  # type: ignore[import-untyped]  # has no types

from mlplan.serving import columns, openapi
from mlplan.serving.estimator import Estimator
from mlplan.serving.examples import Parameters
from mlplan.serving.oip import Described
from mlplan.serving.schema import Column
from mlplan.serving.settings import Settings

from .conftest import Serve
from .running import Answer, Service

jsonschema = pytest.importorskip("jsonschema")
pandas = pytest.importorskip("pandas")

HOUSES = pandas.DataFrame(
    {"area": [50.0, 80.0, 120.0, 65.0], "rooms": [2, 3, 5, 3], "town": ["Ulm", "Bonn", "Ulm", "Köln"]}
)
PRICES = [100.0, 150.0, 240.0, 130.0]
_NUMBERS = make_pipeline(SimpleImputer(), StandardScaler())


def houses() -> Any:
    parts = [("numbers", _NUMBERS, ["area", "rooms"]), ("texts", OneHotEncoder(), ["town"])]
    return make_pipeline(ColumnTransformer(parts), LinearRegression()).fit(HOUSES, PRICES)


@pytest.fixture(scope="module")
def priced(serve_module: Serve) -> Service:
    return serve_module(models={"houses/1": houses()})


VALUES = {"FP64": 1.5, "INT64": 2, "BOOL": True, "BYTES": "Ulm"}


def infer(service: Service, told: list[dict[str, Any]], rows: int = 2) -> Answer:
    """Asks with tensors as the metadata has them."""
    sent = []
    for one in told:
        shape = [rows if length == -1 else length for length in one["shape"]]
        data = [VALUES[one["datatype"]]] * int(np.prod(shape))
        sent.append({"name": one["name"], "datatype": one["datatype"], "shape": shape, "data": data})
    (model,) = service.config["models"] or [{"name": service.config["name"]}]
    return service.ask("POST", f"/v2/models/{model['name']}/infer", {"inputs": sent})


def told_by(service: Service) -> list[dict[str, Any]]:
    (model,) = service.config["models"] or [{"name": service.config["name"]}]
    told = service.ask("GET", f"/v2/models/{model['name']}").json["inputs"]
    assert isinstance(told, list)
    return told


def test_a_frames_columns_are_inputs_of_their_own(priced: Service) -> None:
    told = told_by(priced)
    assert told == [
        {"name": "area", "datatype": "FP64", "shape": [-1]},
        {"name": "rooms", "datatype": "FP64", "shape": [-1]},
        {"name": "town", "datatype": "BYTES", "shape": [-1]},
    ]
    answer = infer(priced, told)
    assert (answer.status, answer.json["outputs"][0]["shape"]) == (200, [2])


FORMS: list[Any] = [
    [[50.0, 2, "Ulm"], [None, None, "Bonn"]],
    {"columns": ["area", "rooms", "town"], "data": [[50.0, None, "Ulm"]]},
    [{"area": 50.0, "rooms": 2, "town": "Ulm"}, {"area": None, "rooms": 2, "town": "Köln"}],
    {"area": [50.0, None], "rooms": [2, 3], "town": ["Ulm", "Bonn"]},
]
NOT_TAKEN: list[Any] = [
    [["Ulm", 2, 50.0]],
    [[50.0, 2, None]],
    [{"area": 50.0, "rooms": 2, "town": None}],
    {"area": [50.0], "rooms": [2], "town": [None]},
    {"area": ["much"], "rooms": [2], "town": ["Ulm"]},
    {"columns": ["area", "rooms", "town"], "data": [["Ulm", 2, 50.0]]},
]


@pytest.mark.parametrize(("rows", "status"), [(form, 200) for form in FORMS] + [(form, 400) for form in NOT_TAKEN])
def test_the_description_tells_what_is_taken(priced: Service, rows: Any, status: int) -> None:
    schemas = priced.ask("GET", "/swagger.json").json["components"]["schemas"]
    told = jsonschema.Draft202012Validator(schemas["Rows"]).is_valid(rows)
    assert priced.score({"data": rows}).status == status
    assert told == (status == 200)


def test_a_description_of_mixed_columns_is_valid(priced: Service) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    for version in ("3.1", "2"):
        validator.validate(priced.ask("GET", f"/swagger.json?version={version}").json)


IRIS = np.random.default_rng(1).random((20, 2))
TOWNS = np.array([["Ulm", "a"], ["Bonn", "b"]] * 10, dtype=object)
KINDS = [0, 1] * 10


@pytest.mark.parametrize(
    ("fitted", "told"),
    [
        (LogisticRegression().fit(IRIS, KINDS), [("input", "FP64", [-1, 2])]),
        (LogisticRegression().fit(pandas.DataFrame(IRIS, columns=["a", "b"]), KINDS),
         [("a", "FP64", [-1]), ("b", "FP64", [-1])]),
        (make_pipeline(OneHotEncoder(), LogisticRegression()).fit(TOWNS, KINDS), [("input", "BYTES", [-1, 2])]),
        (make_pipeline(CountVectorizer(), LogisticRegression()).fit(["so", "or so"] * 10, KINDS),
         [("input", "BYTES", [-1])]),
        (make_pipeline(ColumnTransformer([("t", OrdinalEncoder(), [0])], remainder="passthrough"),
                       LogisticRegression()).fit(np.array([["Ulm", 1.0], ["Bonn", 2.0]] * 10, dtype=object), KINDS),
         [("0", "BYTES", [-1]), ("1", "FP64", [-1])]),
    ],
    ids=["numbers", "named numbers", "texts", "documents", "mixed"],
)  # fmt: skip
def test_every_kind_of_input_is_told_and_taken(serve: Serve, fitted: Any, told: list[Any]) -> None:
    service = serve(models={"m/1": fitted})
    found = told_by(service)
    assert [(one["name"], one["datatype"], one["shape"]) for one in found] == told
    if told[0][1:] == ("BYTES", [-1, 2]):  # its encoder refuses categories that it doesn't know
        sent = [{**found[0], "shape": [1, 2], "data": ["Ulm", "a"]}]
        assert service.ask("POST", "/v2/models/m/infer", {"inputs": sent}).status == 200
    else:
        assert infer(service, found).status == 200


def test_null_is_told_where_it_is_taken() -> None:
    trees = Estimator(HistGradientBoostingClassifier(max_iter=2).fit(IRIS, KINDS), Settings())
    assert trees.columns == [Column("0", False, 0.5, True), Column("1", False, 0.5, True)]
    rows = openapi.rows_schema(trees.schema, trees.columns)
    told = jsonschema.Draft202012Validator(rows)
    assert told.is_valid([[None, 1.0]])
    assert told.is_valid({"x": [None, 2.0], "y": [1.0, True]})
    assert not told.is_valid([["1", 1.0]])
    linear = Estimator(LogisticRegression().fit(IRIS, KINDS), Settings())
    assert not jsonschema.Draft202012Validator(openapi.rows_schema(linear.schema, linear.columns)).is_valid(
        [[None, 1]]
    )


def test_a_model_that_takes_nothing_we_think_of_is_told_as_known() -> None:
    schema = Estimator(LogisticRegression().fit(IRIS, KINDS), Settings()).schema
    assert columns.study(object(), schema, lambda row: False) == [
        Column("0", True, "a", False),
        Column("1", True, "a", False),
    ]


SCRIPT = """
import numpy as np
import pandas as pd
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema

def init(): pass

"""
DECORATED = {
    "numbers": (
        '@input_schema("data", NumpyParameterType(np.array([[1.0, 2.0]])))\n'
        '@input_schema("factor", StandardPythonParameterType(2.0))\n'
        '@input_schema("town", StandardPythonParameterType("Ulm"))\n'
        "def run(data, factor, town='Bonn'): return [(data * factor).sum(), town]\n",
        [("data", "FP64", [-1, 2]), ("factor", "FP64", [1]), ("town", "BYTES", [1])],
        [9.0, "Ulm"],
    ),
    "a table": (
        '@input_schema("data", PandasParameterType(pd.DataFrame({"area": [1.5], "rooms": [2], "town": ["x"]})))\n'
        "def run(data): return [data['area'].sum(), str(data['town'][0])]\n",
        [("area", "FP64", [-1]), ("rooms", "INT64", [-1]), ("town", "BYTES", [-1])],
        [3.0, "Ulm"],
    ),
}


@pytest.mark.parametrize("name", DECORATED)
def test_a_scripts_decorators_tell_its_inputs(serve: Serve, name: str) -> None:
    run, told, answered = DECORATED[name]
    service = serve(script=SCRIPT + run)
    found = told_by(service)
    assert [(one["name"], one["datatype"], one["shape"]) for one in found] == told
    answer = infer(service, found)
    assert answer.status == 200
    assert answer.json["outputs"][0]["data"] == [json.dumps(value) if not isinstance(value, str) else value
                                                 for value in answered]  # fmt: skip


@pytest.mark.parametrize(
    ("example", "inputs"),
    [
        ({"data": [[1, 2.5]]}, [Described("data", "FP64", [-1, 2])]),
        ({"flag": True}, [Described("flag", "BOOL", [1])]),
        ({"data": [{"a": 1}], "more": 1}, []),  # a table beside something else has no form as tensors
        ({"data": {"a": 1}}, []),
        ({"data": [1, "a"]}, []),
        ({"data": []}, []),
        ({}, []),
    ],
)
def test_what_has_a_form_as_tensors(example: dict[str, Any], inputs: list[Described]) -> None:
    assert Parameters(example).inputs == inputs
