"""The service's own description: valid, and true of what it does.

The full 5,000 cases: MLPLAN_OPENAPI_CASES=5000 python -m pytest tests/serving/test_openapi.py
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from sklearn.datasets import load_iris  # type: ignore[import-untyped]  # has no types
from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]  # has no types
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # has no types

from .conftest import Serve
from .running import KEYS, Service, write_keys
from .test_entry import SCHEMA

validator = pytest.importorskip("openapi_spec_validator")
schemathesis = pytest.importorskip("schemathesis")

CASES = int(os.environ.get("MLPLAN_OPENAPI_CASES", "1000"))
IRIS, KINDS = load_iris(return_X_y=True)
PLAIN = "def init(): pass\ndef run(data): return data\n"


@pytest.fixture(scope="module")
def flowers(serve_module: Serve) -> Service:
    return serve_module(models={"flowers/3": LogisticRegression(max_iter=500).fit(IRIS, KINDS)})


@pytest.mark.parametrize("version", ["", "?version=2", "?version=3.1"])
def test_it_is_valid(serve: Serve, flowers: Service, tmp_path: os.PathLike[str], version: str) -> None:
    keys = os.path.join(tmp_path, "keys.json")
    write_keys(keys, KEYS)
    bearer = {"authorization": f"Bearer {KEYS['primary']}"}
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(IRIS, columns=["a", "b", "c", "d"])
    services = [
        flowers,
        serve(script=PLAIN, settings={"sample": {"data": [1]}}),
        serve(script=SCHEMA, auth="key", keys_file=keys),
        serve(models={"trees/1": HistGradientBoostingClassifier(max_iter=2).fit(frame, KINDS)}),
    ]
    for service in services:
        answer = service.ask("GET", f"/swagger.json{version}", headers=bearer)
        assert answer.status == 200
        validator.validate(answer.json)
        assert answer.json.get("openapi", answer.json.get("swagger")) == ("2.0" if "2" in version else "3.1.0")


def test_a_version_that_is_not_there_names_those_that_are(flowers: Service) -> None:
    answer = flowers.ask("GET", "/swagger.json?version=9")
    assert answer.status == 404
    assert answer.json["message"] == "There is no such version; there are 3.1, 3.1.0, 3, 2, 2.0."


def test_types_come_from_the_model(flowers: Service) -> None:
    rows = flowers.ask("GET", "/swagger.json").json["components"]["schemas"]["Rows"]
    matrix = rows["anyOf"][0]
    assert matrix["items"]["items"] == {"type": ["number", "boolean"]}
    assert (matrix["items"]["minItems"], matrix["items"]["maxItems"]) == (4, 4)


def test_types_come_from_the_schema_decorators(serve: Serve) -> None:
    schemas = serve(script=SCHEMA).ask("GET", "/swagger.json").json["components"]["schemas"]
    assert set(schemas["ServiceInput"]["properties"]) == {"data", "factor"}
    assert schemas["ServiceInput"]["example"] == {"data": [[1.0, 2.0]], "factor": 2.0}
    assert schemas["ServiceOutput"]["format"] == "numpy.ndarray"


def test_a_recorded_sample_is_an_example(serve: Serve) -> None:
    service = serve(script=PLAIN, settings={"sample": {"data": [[1, 2]]}})
    schemas = service.ask("GET", "/swagger.json").json["components"]["schemas"]
    assert schemas["ServiceInput"]["examples"] == [{"data": [[1, 2]]}]
    schemas = service.ask("GET", "/swagger.json?version=2").json["definitions"]
    assert schemas["ServiceInput"]["example"] == {"data": [[1, 2]]}


def test_a_projects_own_description_comes_first(serve: Serve) -> None:
    service = serve(script=PLAIN)
    with open(os.path.join(service.config["app_root"], "swagger.json"), "w", encoding="utf-8") as stream:
        json.dump({"swagger": "2.0", "own": True}, stream)
    assert service.ask("GET", "/swagger.json?version=2").json == {"swagger": "2.0", "own": True}
    assert "own" not in service.ask("GET", "/swagger.json").json


def try_cases(service: Service, cases: int) -> None:
    """Asks a service at least so often what its description allows, and what it doesn't.

    Each answer has to be a documented one.
    """
    import hypothesis
    from schemathesis import checks

    api = schemathesis.openapi.from_url(f"http://127.0.0.1:{service.port}/swagger.json")
    operations = [result.ok() for result in api.get_all_operations()]
    wanted = [
        checks.CHECKS.get_one(name)
        for name in ("not_a_server_error", "status_code_conformance", "content_type_conformance",
                     "response_schema_conformance")
    ]  # fmt: skip
    posts = sum(operation.method == "post" for operation in operations)
    tried = 0
    for operation in operations:
        # What takes no body has few cases; the draws that Hypothesis discards as repeated are made up for.
        share = cases // posts + 20 if operation.method == "post" else 20
        strategy = operation.as_strategy(
            generation_mode=schemathesis.GenerationMode.POSITIVE
        ) | operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)

        @hypothesis.settings(
            max_examples=share, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
        )
        @hypothesis.given(case=strategy)
        def ask(case: Any) -> None:
            nonlocal tried
            tried += 1
            case.call_and_validate(checks=wanted)

        ask()
    assert tried >= cases


@pytest.mark.slow
def test_a_model_does_what_it_says(flowers: Service) -> None:
    try_cases(flowers, CASES * 4 // 5)


@pytest.mark.slow
def test_a_script_does_what_it_says(serve: Serve) -> None:
    try_cases(serve(script=SCHEMA), CASES // 5)
