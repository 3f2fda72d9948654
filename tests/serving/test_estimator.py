"""Models that serve themselves: every kind of estimator, every form of input."""

from __future__ import annotations

import contextlib
import copy
import inspect
import json
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone  # type: ignore[import-untyped]  # has no types
from sklearn.cluster import DBSCAN, KMeans  # type: ignore[import-untyped]  # has no types
from sklearn.compose import ColumnTransformer  # type: ignore[import-untyped]  # has no types
from sklearn.datasets import load_iris  # type: ignore[import-untyped]  # has no types
from sklearn.ensemble import (  # type: ignore[import-untyped]  # has no types
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]  # has no types
from sklearn.linear_model import LinearRegression, LogisticRegression  # type: ignore[import-untyped]  # has no types
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]  # has no types
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # type: ignore[import-untyped]  # has no types
from sklearn.utils import all_estimators  # type: ignore[import-untyped]  # has no types

from mlplan.serving import oip
from mlplan.serving.entry import parse_json
from mlplan.serving.estimator import Estimator, NotServable
from mlplan.serving.jobs import Job, execute, reading_too
from mlplan.serving.messages import Refused, Request, Response
from mlplan.serving.settings import Settings

from .conftest import Serve

IRIS, KINDS = load_iris(return_X_y=True)


def make_request(body: Any) -> Request:
    request = Request(None, b"POST", b"/score", b"", {})  # type: ignore[arg-type]  # it is not sent
    request.body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return request


def answer(estimator: Estimator, body: Any) -> Any:
    """What a client gets for a body."""
    job = estimator.score(make_request(body))
    return json.loads(job.encode(job.call()).body)


def refusal(estimator: Estimator, body: Any) -> str:
    with pytest.raises(Refused) as refused:
        answer(estimator, body)
    assert refused.value.status in (400, 415)
    return refused.value.message


def toys(name: str, kind: Any) -> Iterator[tuple[BaseEstimator, Any]]:
    """Ways to fit an estimator to something small, and rows to ask it."""
    rng = np.random.default_rng(0)
    rows, labels = np.abs(rng.normal(size=(30, 4))), np.arange(30) % 3
    texts = ["one two", "two three", "three four one"] * 10
    inner = LinearRegression() if "Regress" in name else LogisticRegression()
    members: dict[str, Any] = {
        "estimator": inner,
        "estimators": [("a", inner)],
        "transformers": [("a", StandardScaler(), [0, 1])],
        "transformer_list": [("a", StandardScaler())],
        "steps": [("a", StandardScaler()), ("b", LogisticRegression())],
        "param_grid": {},
        "param_distributions": {},
        "dictionary": rng.normal(size=(3, 4)),
    }
    if "PLS" in name or name in ("CCA", "GaussianRandomProjection", "SparseRandomProjection"):
        members["n_components"] = 2
    needed = [parameter for parameter in inspect.signature(kind).parameters if parameter in members]
    made = kind(**{parameter: members[parameter] for parameter in needed})
    for data, target in (
        (rows, labels),
        (rows, rows.sum(axis=1) + 0.5),
        (rows, np.stack([labels, labels[::-1]], axis=1)),
        (rows, rows[:, :2] + 0.5),
        (rows[:, 0], rows[:, 1]),
        (rows, labels % 2),
        (rows @ rows.T, None),
        (texts, labels),
        ([{"a": 1.0, "b": 2.0}] * 30, labels),
        (list(labels.tolist()), None),
        ([["a", "b"], ["b", "c"]] * 15, None),
    ):
        try:
            fitted = clone(made)
            fitted.fit(data) if target is None else fitted.fit(data, target)
        except Exception:  # not for this kind
            continue
        yield fitted, data


ALL = dict(all_estimators())
NO_ANSWERS = {
    "AgglomerativeClustering", "DBSCAN", "FeatureAgglomeration", "HDBSCAN", "Isomap", "LocalOutlierFactor", "MDS",
    "OPTICS", "SpectralBiclustering", "SpectralClustering", "SpectralCoclustering", "SpectralEmbedding", "TSNE",
    "ClassicalMDS", "EmpiricalCovariance", "EllipticEnvelope", "GraphicalLasso", "GraphicalLassoCV", "LedoitWolf",
    "MinCovDet", "OAS", "ShrunkCovariance", "KernelDensity", "NearestNeighbors", "PatchExtractor",
}  # fmt: skip
"""Some of these can't answer for new rows, at least not by a method; they are the only ones that may not."""


@pytest.mark.parametrize("name", sorted(ALL))
@pytest.mark.filterwarnings("ignore")
def test_every_estimator_answers_what_it_answers_in_process(name: str) -> None:
    warnings.simplefilter("ignore")
    fitted, data = next(toys(name, ALL[name]), (None, None))
    if fitted is None:
        pytest.skip(f"{name} fits none of the toys")
    try:
        served = Estimator(fitted, Settings())
    except NotServable:
        assert name in NO_ANSWERS
        return
    rows = data.tolist() if isinstance(data, np.ndarray) else data
    for method in served.methods:
        try:
            expected = getattr(fitted, method)(copy.copy(data))  # a copy: some know the very rows they were fitted to
        except Exception:  # a method may say only when called that it isn't there, or takes no such rows
            continue
        given = answer(served, {"data": rows, "method": method})[method]
        if hasattr(expected, "toarray"):
            expected = expected.toarray()
        if not isinstance(expected, (list, tuple)):
            expected = expected.tolist()
        assert_same(given, expected, exact=name not in ("DummyClassifier", "BernoulliRBM"))


def assert_same(given: Any, expected: Any, *, exact: bool) -> None:
    if isinstance(expected, (list, tuple)):
        assert len(given) == len(expected)
        for one, other in zip(given, expected, strict=True):
            assert_same(one, other.tolist() if hasattr(other, "tolist") else other, exact=exact)
    elif isinstance(expected, float) and not np.isfinite(expected):
        assert given is None
    elif exact:
        assert given == expected


@pytest.fixture(scope="module")
def flowers() -> Estimator:
    return Estimator(LogisticRegression(max_iter=500).fit(IRIS, KINDS), Settings())


def test_the_default_method_is_the_probability(flowers: Estimator) -> None:
    expected = flowers.fitted.predict_proba(IRIS[:2]).tolist()
    assert answer(flowers, {"data": IRIS[:2].tolist()}) == {"predict_proba": expected}
    assert answer(flowers, {"data": IRIS[:2].tolist(), "method": "predict"}) == {"predict": [0, 0]}


ROWS = [[5.1, 3.5, 1.4, 0.2], [6.2, 2.9, 4.3, 1.3]]
COLUMNS = ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "data",
    [
        {"data": ROWS},
        {"instances": ROWS},
        {"inputs": ROWS},
        {"input_data": {"columns": COLUMNS, "index": [0, 1], "data": ROWS}},
        {"dataframe_split": {"columns": COLUMNS, "data": ROWS}},
        {"dataframe_records": [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]},
        {"data": {name: [row[place] for row in ROWS] for place, name in enumerate(COLUMNS)}},
    ],
    ids=lambda data: "-".join(data),
)
def test_every_form_of_rows_is_read(flowers: Estimator, data: Any) -> None:
    assert answer(flowers, {**data, "method": "predict"}) == {"predict": [0, 1]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The body is empty; it must be JSON."),
        (b"{", "The body is not JSON: "),
        (b'{"data": [[NaN]]}', "The body is not JSON: "),
        (b"[" * 100000, "The body is not JSON: "),
        (b'{"data": [[1e400, 1, 1, 1]]}', ""),
        ([1], 'The body must be a JSON object: {"data": [[...], ...]}.'),
        ({}, 'The body must hold the rows once, one of "data", '),
        ({"data": ROWS, "inputs": ROWS}, 'The body must hold the rows once, not "data", "inputs" together'),
        ({"data": 7}, '"data" must be a list of rows.'),
        ({"data": []}, '"data" has no rows.'),
        ({"data": [1, 2, 3, 4]}, '"data" must be a list of rows, each a list of 4 values.'),
        ({"data": [[1, 2, 3]]}, 'Each row of "data" must have 4 values; it has 3.'),
        ({"data": [[1, 2, 3, 4], [1]]}, 'The rows of "data" must all have the same number of values.'),
        ({"data": [[[1], [2], [3], [4]]]}, '"data" must be a list of rows, each a list of 4 values.'),
        ({"data": [[1, 2, 3, "x"]]}, 'The values of "data" must be numbers.'),
        ({"data": [[1, 2, 3, None]]}, "LogisticRegression doesn't take these rows: Input X contains NaN."),
        ({"data": [[1, 2, 3, {}]]}, ""),
        ({"data": ROWS, "method": "fit"}, '"method" must be one of predict_proba, predict, decision_function, '),
        ({"data": ROWS, "method": ["predict"]}, '"method" must be one of '),
        ({"data": ROWS, "method": "__class__"}, '"method" must be one of '),
        ({"data": {"columns": ["a"], "data": ROWS}}, 'Each row of "data" must have 1 values, one per column.'),
        ({"data": {"a": [1], "b": [1, 2]}}, 'The columns of "data" must all have the same length.'),
        ({"data": {"a": 1}}, '"data" must be rows, records, columns of lists, or an object of columns and data.'),
        (
            {"data": [dict.fromkeys(names) for names in ("abcd", "abce")]},
            'The records of "data" must all have the same names.',
        ),
        ({"data": [{"a": 1}, 3]}, 'The rows of "data" must all be objects, or all be lists.'),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(flowers: Estimator, body: Any, message: str) -> None:
    assert refusal(flowers, body).startswith(message)


def test_a_long_text_among_numbers_takes_no_more_memory_than_it_has(flowers: Estimator) -> None:
    long = [["x" * 2**20, 1, 1, 1], *[["x", 1, 1, 1]] * 30]
    tensor = {"name": "x", "shape": [31, 4], "datatype": "FP64", "data": [value for row in long for value in row]}
    tracemalloc.start()
    try:
        assert refusal(flowers, {"data": long}) == 'The values of "data" must be numbers.'
        with pytest.raises(Refused, match="are not all of number"):
            oip.read({"inputs": [tensor]})
        assert tracemalloc.get_traced_memory()[1] < 30 * 2**20
    finally:
        tracemalloc.stop()


def test_what_is_large_is_read_where_it_runs(flowers: Estimator) -> None:
    read: list[Request] = []

    def read_it(request: Request) -> Job:
        read.append(request)
        return flowers.score(request)

    def job_of(body: bytes) -> Job:
        request = make_request(body)
        return reading_too(request, lambda: read_it(request))

    good, bad = job_of(b'{"data": [[1, 1, 1, 1], [2, 2, 2, 2]], "method": "predict"}'), job_of(b'{"data": 7}')
    assert read == []
    answered, refused = execute([good]), execute([bad])
    assert isinstance(answered[0], Response)
    assert json.loads(answered[0].body) == {"predict": [0, 0]}
    assert good.rows == 2
    assert isinstance(refused[0], Refused)
    assert len(read) == 2


@pytest.mark.parametrize("path", ["/score", "/v2/models/flowers/infer"])
def test_large_bodies_are_answered_and_their_reading_has_a_time_limit(serve: Serve, path: str) -> None:
    rows = [[5.1, 3.5, 1.4, 0.2]] * 20000
    tensor = {"name": "x", "shape": [20000, 4], "datatype": "FP64", "data": rows}
    good = {"data": rows, "method": "predict"} if path == "/score" else {"inputs": [tensor]}
    wrong = json.dumps(good).replace("0.2", '"x"').encode()
    models = {"flowers/1": LogisticRegression(max_iter=500).fit(IRIS, KINDS)}
    service = serve(models=models)
    answer = service.ask("POST", path, good)
    labels = answer.json["predict"] if path == "/score" else answer.json["outputs"][0]["data"]
    assert labels == [0] * 20000
    assert service.ask("POST", path, wrong).status == 400
    assert "mlplan_batch_rows_sum 20001\n" in service.ask("GET", "/metrics").body.decode()
    service = serve(models=models, settings={"timeout_s": 0.001})
    assert service.ask("POST", path, wrong).status == 504


CELLS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
ANYTHING = st.recursive(
    CELLS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
)
ALMOST = st.lists(st.lists(CELLS | ANYTHING, min_size=3, max_size=5), max_size=4)
INPUT_KEYS = st.sampled_from(
    ["data", "instances", "dataframe_split", "inputs", "columns", "method", "shape", "datatype"]
)


@settings(max_examples=400, deadline=None)
@given(body=ANYTHING | st.dictionaries(INPUT_KEYS, ANYTHING | ALMOST, max_size=3))
def test_any_json_is_answered_or_refused(flowers: Estimator, body: Any) -> None:
    text = json.dumps(body, allow_nan=False, default=str) if not has_nan(body) else "[]"
    request = make_request(text.encode("utf-8", "surrogatepass"))
    tensor = {"inputs": [{**body, "name": "x"} if isinstance(body, dict) else body]}
    attempts: list[Callable[[], Job]] = [
        lambda: flowers.score(request),
        lambda: flowers.infer(request, oip.read(parse_json(request.body)), "flowers", "1"),
        lambda: flowers.infer(request, oip.read(tensor), "flowers", "1"),
    ]
    for make_job in attempts:
        with contextlib.suppress(Refused):
            job = make_job()
            assert job.encode(job.call()).status == 200


def has_nan(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_nan(item) for item in value.values())
    if isinstance(value, list):
        return any(has_nan(item) for item in value)
    return isinstance(value, float) and not np.isfinite(value)


def test_missing_values_are_for_models_that_know_them() -> None:
    trees = Estimator(HistGradientBoostingClassifier(max_iter=3).fit(IRIS, KINDS), Settings())
    expected = trees.fitted.predict([[np.nan, 3.5, 1.4, 0.2]]).tolist()
    assert answer(trees, {"data": [[None, 3.5, 1.4, 0.2]], "method": "predict"}) == {"predict": expected}


def test_numbers_too_large_for_the_model_are_refused() -> None:
    forest = Estimator(RandomForestClassifier(3).fit(IRIS, KINDS), Settings())
    assert "too large" in refusal(forest, {"data": [[1e300, 1, 1, 1]]})


def test_columns_come_in_the_models_order() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"size": [1.0, 2.0, 3.0, 4.0], "colour": ["red", "blue", "red", "blue"]})
    encode = ColumnTransformer(
        [("colour", OneHotEncoder(handle_unknown="ignore"), ["colour"])], remainder="passthrough"
    )
    model = Estimator(make_pipeline(encode, LinearRegression()).fit(frame, [1.0, 2.0, 3.0, 4.0]), Settings())
    expected = model.fitted.predict(frame[:1]).tolist()
    assert answer(model, {"data": [{"colour": "red", "size": 1}]}) == {"predict": expected}
    assert answer(model, {"data": {"columns": ["colour", "size"], "data": [["red", 1.0]]}}) == {"predict": expected}
    assert answer(model, {"data": [[1.0, "red"]]}) == {"predict": expected}
    assert refusal(model, {"data": [{"colour": "red", "sise": 1}]}) == (
        'The columns of "data" are not the model\'s. It lacks "size". The model has no "sise".'
    )


def test_texts_are_rows_of_a_text_model() -> None:
    texts = ["good", "very good", "bad", "so bad"]
    model = Estimator(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [1, 1, 0, 0]), Settings())
    assert answer(model, {"data": ["good good", "bad"], "method": "predict"}) == {"predict": [1, 0]}
    assert "doesn't take these rows" in refusal(model, {"data": [[1.0]]})


def test_what_can_not_answer_for_new_rows_is_not_served() -> None:
    with pytest.raises(NotServable, match="DBSCAN has none of the methods predict_proba, "):
        Estimator(DBSCAN().fit(IRIS), Settings())


def test_which_answers_are_the_same_together() -> None:
    linear = LogisticRegression(max_iter=500).fit(IRIS, KINDS)
    forest = RandomForestClassifier(5).fit(IRIS, KINDS)
    assert set(Estimator(forest, Settings())._stacks) >= {"predict", "predict_proba"}
    assert "predict" in Estimator(linear, Settings())._stacks
    assert Estimator(KMeans(3, n_init=1).fit(IRIS), Settings())._stacks == {}
    assert Estimator(linear, Settings(batch=False))._stacks == {}


STACKED = [
    LogisticRegression(max_iter=500),
    make_pipeline(StandardScaler(), LogisticRegression()),
    RandomForestClassifier(5, random_state=0),
    HistGradientBoostingClassifier(max_iter=5),
]


@pytest.mark.parametrize("kind", STACKED, ids=lambda kind: type(kind).__name__)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), counts=st.lists(st.integers(1, 5), min_size=2, max_size=12))
def test_rows_asked_together_get_the_same_bits(kind: Any, seed: int, counts: list[int]) -> None:
    served = _served(kind)
    rng = np.random.default_rng(seed)
    tables = [rng.uniform(-10, 10, size=(count, 4)) for count in counts]
    for method, together in served._stacks.items():
        for table, got in zip(tables, together(tables), strict=True):
            alone = np.concatenate([getattr(served.fitted, method)(table[i : i + 1]) for i in range(len(table))])
            assert got.tobytes() == alone.tobytes()


FITTED: dict[int, Estimator] = {}


def _served(kind: Any) -> Estimator:
    if id(kind) not in FITTED:
        FITTED[id(kind)] = Estimator(clone(kind).fit(IRIS, KINDS), Settings())
    return FITTED[id(kind)]


def test_close_calls_are_asked_alone() -> None:
    model = LogisticRegression(max_iter=500).fit(IRIS[:100], KINDS[:100])
    direction, height = model.coef_[0], model.intercept_[0]
    on_the_border = IRIS[:50] - ((IRIS[:50] @ direction + height) / (direction @ direction))[:, None] * direction
    served = Estimator(model, Settings())
    together = served._stacks["predict"]([on_the_border[i : i + 1] for i in range(50)])
    alone = [model.predict(on_the_border[i : i + 1]) for i in range(50)]
    assert [one.tolist() for one in together] == [one.tolist() for one in alone]


def test_it_is_served_over_http_and_a_bad_row_harms_no_neighbour(serve: Serve) -> None:
    import threading

    model = LogisticRegression(max_iter=500).fit(IRIS, KINDS)
    service = serve(models={"flowers/2": model})
    assert service.score({"data": ROWS, "method": "predict"}).json == {"predict": [0, 1]}
    answers: dict[int, tuple[int, Any]] = {}

    def ask(place: int) -> None:
        row = [*IRIS[place][:3].tolist(), None if place % 10 == 0 else float(IRIS[place][3])]
        got = service.score({"data": [row], "method": "predict"})
        answers[place] = (got.status, got.json.get("predict"))

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = model.predict(IRIS[:40]).tolist()
    for place in range(40):
        assert answers[place] == ((400, None) if place % 10 == 0 else (200, [expected[place]]))


def test_a_model_file_that_runs_code_is_not_loaded(serve: Serve) -> None:
    service = serve(models={"flowers/1": b"cos\nsystem\n(S'id'\ntR."}, wait=False)
    error = service.wait("failed")["error"]
    assert "model.pkl is not loaded: it would use what no scikit-learn model needs:" in error
    assert "os.system (at byte" in error
    assert service.process.wait(10) == 3
