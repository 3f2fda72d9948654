"""Scoring scripts of the retired system, unchanged, and what a client of theirs gets."""

from __future__ import annotations

import json
import time

import pytest

from .conftest import Serve
from .running import Service

MODEL_DIR = """
import json, os

def init():
    global found, parts, here
    found = os.path.join(os.getenv("AZUREML_MODEL_DIR"), "model.pkl")
    parts = os.environ["AZUREML_MODEL_DIR"].split("/")[-2:]
    here = os.getcwd()

def run(data):
    with open("scripts/score.py") as stream:
        first = stream.readline()
    return {"data": json.loads(data), "there": os.path.exists(found), "parts": parts, "root": here, "first": first,
            "script": os.environ["AZUREML_ENTRY_SCRIPT"], "threads": os.environ["OMP_NUM_THREADS"]}
"""


def test_one_model_lies_where_scripts_look_for_it(serve: Serve) -> None:
    service = serve(script=MODEL_DIR, models={"mymodel/3": b"\x80\x04K\x01."}, env={"COLOUR": "red"})
    answer = service.score({"data": [[1, 2]]})
    assert answer.status == 200
    assert answer.json == {
        "data": {"data": [[1, 2]]},
        "there": True,
        "parts": ["mymodel", "3"],
        "root": service.config["app_root"],
        "first": "\n",
        "script": "scripts/score.py",
        "threads": "1",
    }


SEVERAL = """
import os
from azureml.core.model import Model
from azureml.core import Model as SameModel, Workspace

def init():
    assert Model is SameModel

def run(data):
    root = os.environ["AZUREML_MODEL_DIR"]
    outcomes = [os.listdir(root), os.path.relpath(Model.get_model_path("a"), root)]
    outcomes.append(os.path.relpath(Model.get_model_path("a", version=2), root))
    outcomes.append(Model.get_model_path("scripts/score.py"))
    unknown, odd = lambda: Model.get_model_path("c"), lambda: Model.get_model_path("a", version="x")
    for attempt in (unknown, odd, lambda: Workspace.get()):
        try:
            attempt()
        except Exception as error:
            outcomes.append(type(error).__name__)
    return outcomes
"""


def test_several_models_are_found_by_name(serve: Serve) -> None:
    nothing = b"\x80\x04N."
    service = serve(script=SEVERAL, models={"a/2": nothing, "a/10": nothing, "b/1": nothing})
    listed, *rest = service.score({}).json
    assert sorted(listed) == ["a", "b"]
    assert rest == [
        "a/10/model.pkl",
        "a/2/model.pkl",
        "scripts/score.py",
        "ModelNotFoundException",
        "ValueError",
        "NotImplementedError",
    ]


RESULTS = """
import datetime, json
import numpy as np

class Told:
    def toJSON(self):
        return json.dumps({"told": True})

class Odd:
    pass

def init():
    pass

def run(data):
    order = json.loads(data)
    return {
        "list": [1, 2.5, "ä", None], "text": json.dumps([1]), "none": None, "tuple": (1, 2), "nan": float("nan"),
        "nans": [float("inf"), {"a": np.nan}], "array": np.array([[1.0, np.nan]]), "int64": np.int64(7),
        "strided": np.arange(6)[::2], "texts": np.array(["a", "b"]), "told": Told(), "float32": np.float32(0.5),
        "date": datetime.date(2020, 1, 2), "keys": {1: "one"}, "odd": Odd(),
        "large": [2**70, float("nan"), np.float64(0.5)],
    }[order]
"""


@pytest.fixture(scope="module")
def results(serve_module: Serve) -> Service:
    return serve_module(script=RESULTS)


@pytest.mark.parametrize(
    ("order", "body"),
    [
        ("list", '[1,2.5,"ä",null]'),
        ("text", '"[1]"'),
        ("none", "{}"),
        ("tuple", "[1,2]"),
        ("nan", "null"),
        ("nans", '[null,{"a":null}]'),
        ("array", "[[1.0,null]]"),
        ("int64", "7"),
        ("strided", "[0,2,4]"),
        ("texts", '["a","b"]'),
        ("told", '{"told":true}'),
        ("date", '"2020-01-02"'),
        ("keys", '{"1":"one"}'),
        ("float32", "0.5"),
        ("large", "[1180591620717411303424,null,0.5]"),
    ],
)
def test_what_run_returns_is_json_by_the_letter(results: Service, order: str, body: str) -> None:
    answer = results.score(order)
    assert (answer.status, answer.body.decode()) == (200, body)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-ms-run-function-failed"] == "False"
    assert float(answer.headers["x-ms-run-fn-exec-ms"]) > 0


def test_a_result_without_a_json_form_is_an_error_of_the_script(results: Service) -> None:
    answer = results.score("odd", {"x-request-id": "odd-1"})
    assert answer.status == 500
    assert answer.json == {"message": "The model failed on this request; its log says why.", "request_id": "odd-1"}
    assert answer.headers["x-ms-run-function-failed"] == "True"
    assert "[odd-1] " in results.log
    assert "Odd has no JSON form" in results.log


def test_an_exception_in_run_is_logged_and_not_told(results: Service) -> None:
    answer = results.score("missing")
    assert answer.status == 500
    assert b"KeyError" not in answer.body
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert f"[{answer.headers['x-request-id']}] Traceback" in results.log
    assert "KeyError: 'missing'" in results.log


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_every_exception_is_answered_and_traced_to_its_line(serve: Serve, is_async: bool) -> None:
    script = "import json, sys\ndef init(): pass\nclass Stop(BaseException): pass\n"
    script += "class Odd:\n    def toJSON(self): sys.exit('while writing')\n"
    script += f"{'async ' if is_async else ''}def run(data):\n"
    script += "    if data == '1': raise Stop\n    if data == '2': raise GeneratorExit\n"
    script += "    if data == '3': return Odd()\n"
    script += "    sys.exit('at once')\n"
    service = serve(script=script)
    for number in range(4):
        answer = service.score(number, {"x-request-id": f"r-{number}"})
        assert (answer.status, answer.json["request_id"]) == (500, f"r-{number}")
    for line in ("raise Stop", "raise GeneratorExit", "sys.exit('while writing')", "sys.exit('at once')"):
        assert line in service.log
    assert service.status["restarts"] == 0


@pytest.mark.parametrize("kind", ["SystemExit", "KeyboardInterrupt", "asyncio.CancelledError"])
@pytest.mark.parametrize("where", ["thread", "inline", "async"])
def test_a_call_may_end_itself_and_not_the_worker(serve: Serve, kind: str, where: str) -> None:
    is_async = "async " if where == "async" else ""
    script = f"import asyncio\ndef init(): pass\n{is_async}def run(data):\n    raise {kind}\n"
    service = serve(script=script, settings={"dispatch": "inline" if where == "inline" else "thread"})
    workers = service.status["workers"]
    for _ in range(2):
        assert service.score({}).status == 500
    assert kind.rpartition(".")[2] in service.log
    assert service.status["workers"] == workers


def test_text_that_claims_to_be_json_and_is_not_is_the_clients_fault(results: Service) -> None:
    answer = results.ask("POST", "/score", b'{"data": [', {"content-type": "application/json"})
    assert answer.status == 400
    assert answer.json["message"].startswith("The body is not JSON: ")
    assert results.ask("POST", "/score", b'{"data": [', {"content-type": "text/plain"}).status == 500


def test_a_get_has_its_query_as_json(serve: Serve) -> None:
    service = serve(script="import json\ndef init(): pass\ndef run(data): return json.loads(data)\n")
    answer = service.ask("GET", "/score?a=1&b=x&b=[2]&c=")
    assert answer.json == {"a": 1, "b": ["x", [2]], "c": ""}
    assert service.ask("OPTIONS", "/score").status == 200


def test_a_body_that_is_no_text_is_refused(results: Service) -> None:
    answer = results.ask("POST", "/score", b"\xff\xfe")
    assert answer.status == 400
    assert answer.json["message"] == "The body is not UTF-8: invalid start byte at byte 0."


HEADERS = "def init(): pass\ndef run(data, request_headers): return [data, request_headers.get('X-Ms-Request-Id')]\n"


def test_the_headers_come_to_a_script_that_asks_for_them(serve: Serve) -> None:
    assert serve(script=HEADERS).ask("POST", "/score", b"hi", {"x-ms-request-id": "abc"}).json == ["hi", "abc"]


ASYNC = """
import asyncio

def init():
    pass

async def run(data):
    await asyncio.sleep(0.3)
    return data
"""


def test_run_may_be_async_and_then_many_run_at_a_time(serve: Serve) -> None:
    import threading

    service = serve(script=ASYNC)
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(service.score("x").status)) for _ in range(8)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8
    assert time.monotonic() - started < 8 * 0.3


SCHEMA = """
import numpy as np
from inference_schema.schema_decorators import input_schema, output_schema
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType

def init():
    pass

@input_schema("data", NumpyParameterType(np.array([[1.0, 2.0]])))
@input_schema("factor", StandardPythonParameterType(2.0))
@output_schema(NumpyParameterType(np.array([1.0])))
def run(data, factor=1.0):
    if factor < 0:
        raise ValueError("a bug of the script")
    return (data.sum(axis=1) * factor).tolist()
"""


@pytest.fixture(scope="module")
def schema(serve_module: Serve) -> Service:
    pytest.importorskip("inference_schema")
    return serve_module(script=SCHEMA)


def test_schema_decorators_decode_the_parameters(schema: Service) -> None:
    assert schema.score({"data": [[1, 2], [3, 4]], "factor": 3}).json == [9.0, 21.0]
    assert schema.score({"data": [[1, 2]], "factor": 1.5, "more": 1}).json == [4.5]
    assert schema.score({"data": [[1, 2]]}).json == [3.0]  # by the default


@pytest.mark.parametrize(
    ("body", "headers", "status", "message"),
    [
        (b"", {}, 400, "The body is empty; it must be JSON."),
        (b'{"data": [[1, NaN]]}', {}, 400, "The body is not JSON: "),
        ('{"data": "ö"}'.encode("latin-1"), {}, 400, "The body is not UTF-8: invalid start byte at byte 10."),
        (b"[1]", {}, 400, 'The body must be a JSON object with "data", "factor".'),
        (b"{}", {}, 400, 'The body lacks "data".'),
        (b'{"data": [[1]]}', {}, 400, "The input doesn't fit the schema: "),
        (b'{"data": 7}', {}, 400, "The input doesn't fit the schema: "),
        (b"a,b", {"content-type": "text/csv"}, 415, "Expects Content-Type to be application/json."),
    ],
)
def test_what_does_not_fit_the_schema_is_refused(
    schema: Service, body: bytes, headers: dict[str, str], status: int, message: str
) -> None:
    answer = schema.ask("POST", "/score", body, {"content-type": "application/json", **headers})
    assert answer.status == status
    assert answer.json["message"].startswith(message)


def test_an_error_behind_the_schema_is_the_scripts(schema: Service) -> None:
    answer = schema.score({"data": [[1, 2]], "factor": -1.0})
    assert answer.status == 500
    assert b"bug" not in answer.body


RAW = """
from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse

def init():
    pass

@rawhttp
def run(request):
    if request.method == "GET":
        query = {"query": request.args.get("a"), "all": list(request.args.getlist("a"))}
        return AMLResponse(query, 200, json_str=True)
    if request.args.get("odd"):
        return request.cookies
    body = request.get_data(as_text=True)
    return AMLResponse(body[::-1], 201, {"X-Colour": "red", "Content-Type": "text/plain"})
"""
NEWER = RAW.replace("azureml.contrib.services", "azureml_inference_server_http.api")


@pytest.mark.parametrize("script", [RAW, NEWER], ids=["older paths", "newer paths"])
def test_raw_http_is_taken_and_given(serve: Serve, script: str) -> None:
    service = serve(script=script)
    answer = service.ask("POST", "/score", b"abc")
    assert (answer.status, answer.body, answer.headers["x-colour"]) == (201, b"cba", "red")
    assert answer.headers["content-type"] == "text/plain"
    answer = service.ask("GET", "/score?a=1&a=2")
    assert (answer.status, answer.json) == (200, {"query": "1", "all": ["1", "2"]})
    assert service.ask("POST", "/score?odd=1", b"").status == 500
    assert "this request has no 'cookies'" in service.log


def test_a_header_with_a_line_break_is_an_error_of_the_script(serve: Serve) -> None:
    script = RAW.replace('"red"', r'"a\r\nset-cookie: x=1"')
    answer = serve(script=script).ask("POST", "/score", b"abc")
    assert answer.status == 500
    assert "set-cookie" not in answer.headers


LOGS = """
import logging

def init():
    logging.getLogger("score").info("loaded")

def run(data):
    logging.info("one request")
    logging.debug("in detail")
    return 1
"""


def test_what_a_script_logs_stands_in_the_log_from_info_on(serve: Serve) -> None:
    service = serve(script=LOGS)
    assert service.score({}).json == 1
    assert "loaded" in service.log
    assert "one request" in service.log
    assert "in detail" not in service.log


def test_a_script_that_sets_up_its_own_log_has_it_so(serve: Serve) -> None:
    own = LOGS.replace(
        "def init():", "def init():\n    logging.basicConfig(level='WARNING', format='mine %(message)s')\n"
    )
    own = own.replace('info("loaded")', 'warning("loaded")')
    service = serve(script=own)
    assert service.score({}).json == 1
    assert "mine loaded" in service.log
    assert "one request" not in service.log


OLD_NAMES = """
from sklearn.externals import joblib
import sklearn.linear_model.logistic as module
from sklearn.ensemble.forest import RandomForestClassifier

def init():
    pass

def run(data):
    return [joblib.__name__, module.__name__, RandomForestClassifier.__module__]
"""


def test_old_names_of_scikit_learn_are_still_found(serve: Serve) -> None:
    assert serve(script=OLD_NAMES).score({}).json == [
        "joblib",
        "sklearn.linear_model._logistic",
        "sklearn.ensemble._forest",
    ]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("def run(data): pass\n", "there is no init()"),
        ("def init(): pass\n", "there is no run()"),
        ("def init(): pass\ndef run(*data): pass\n", "run() may not have"),
        ("def init(): pass\ndef run(): pass\n", "run() needs a parameter"),
        ("import nonesuch\n", "No module named 'nonesuch'"),
        ("raise SystemExit(4)\n", "SystemExit: 4"),
        ("def init(:\n", "SyntaxError"),
        ("def init(:\n", 'score.py", line 1'),
    ],
)
def test_a_script_that_can_not_be_served_says_why(serve: Serve, script: str, words: str) -> None:
    service = serve(script=script, wait=False)
    told = service.wait("failed")["error"]
    assert words in told
    assert "loading.py" not in told  # nothing of the runtime's own frames
    assert service.process.wait(10) == 3


def test_a_pickle_that_runs_code_is_refused_before_init(serve: Serve) -> None:
    service = serve(script=MODEL_DIR, models={"mymodel/1": b"cos\nsystem\n(S'id'\ntR."}, wait=False)
    assert "os.system" in service.wait("failed")["error"]


def test_names_beside_the_script_and_in_its_root_are_importable(serve: Serve) -> None:
    service = serve(script="import importlib, sys\ndef init(): pass\ndef run(d): return sys.path[:2]\n")
    root = service.config["app_root"]
    assert json.loads(service.score({}).body) == [f"{root}/scripts", f"{root}/scripts"]
