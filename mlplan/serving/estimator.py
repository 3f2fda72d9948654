"""A model that serves itself: a fitted scikit-learn estimator or pipeline, of any kind; or the same in ONNX.

    {"data": [[...], ...], "method": "predict"}  ->  {"predict": [...]}

Without `method` it is predict_proba where the estimator has it, else predict, else the first of METHODS.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Sequence
from typing import Any, Callable

import numpy as np

from . import columns, inputs, json_text, oip, onnx_model, pickles, rowwise
from .entry import json_body, parse_json
from .jobs import Job, Stack
from .messages import Refused, Request, Response
from .model_files import only_model_file
from .results import as_json
from .schema import Column, Schema
from .settings import Settings

METHODS = (
    "predict_proba",
    "predict",
    "transform",
    "decision_function",
    "score_samples",
    "predict_log_proba",
    "predict_joint_log_proba",
    "inverse_transform",
    "apply",
    "kneighbors",
)
"""What an estimator may be asked, the preferred ones first."""

# Beyond this a number may not survive an estimator's conversion to 32 bits; scikit-learn's own check decides then.
_SAFE = 1e38
_QUICK_S = 0.0005
# What a row may be where it doesn't say how many values there are in one, and the tensor of such rows.
_NO_ROWS: tuple[tuple[Any, oip.Described], ...] = (
    ("some text", oip.Described("input", "BYTES", [-1])),
    (0.5, oip.Described("input", "FP64", [-1])),
    ([0.5], oip.Described("input", "FP64", [-1, -1])),
)


class NotServable(Exception):
    """The object can't answer for new data."""


class Estimator:
    """A fitted estimator, ready to answer."""

    is_async = False
    overlaps = True  # a fitted estimator isn't altered by being asked

    def __init__(self, fitted: Any, settings: Settings) -> None:
        self.fitted = fitted
        self.kind = type(fitted).__name__
        self.methods = tuple(name for name in METHODS if callable(getattr(fitted, name, None)))
        if not self.methods:
            raise NotServable(f"{self.kind} has none of the methods {', '.join(METHODS)}")
        self.default = self.methods[0]
        names = getattr(fitted, "feature_names_in_", None)
        width = getattr(fitted, "n_features_in_", None)
        self.schema = Schema(
            width=int(width) if width is not None else None,
            names=[str(name) for name in names] if names is not None else None,
        )
        self._calls = {name: getattr(fitted, name) for name in self.methods}
        self._encoders = {name: _Encoder(name) for name in self.methods}
        self.enter_thread()
        found = rowwise.study(fitted, self.methods, self.schema.width, self._framed)
        if self.schema.names is None and found.seconds < float("inf"):  # it takes numbers, and maybe nothing else
            self.schema = self.schema._replace(texts=_knows_texts(fitted))
        self.quick = found.seconds < _QUICK_S
        self.outputs = self._outputs(found.seconds)
        self.columns = columns.study(fitted, self.schema, self._takes) if self.schema.width else []
        self.inputs = self._inputs()
        self._stacks = {} if settings.batch is False else {n: _Together(ask) for n, ask in found.together.items()}

    def enter_thread(self) -> None:
        """To be called by each thread that asks the model. Our own check of the input stands in for a slower one."""
        with contextlib.suppress(ImportError):  # a model in ONNX does without
            import sklearn  # type: ignore[import-untyped]  # has no types

            sklearn.set_config(assume_finite=True, skip_parameter_validation=True)

    def score(self, request: Request) -> Job:
        """The job that answers a request. Raises: Refused where it doesn't fit the model."""
        value = parse_json(json_body(request))
        table = inputs.read(value, self.schema)
        method = value.get("method", self.default)
        if not isinstance(method, str) or method not in self._calls:
            raise Refused(400, f'"method" must be one of {", ".join(self.methods)}.')
        return self.job(request, method, table, self._encoders[method])

    def job(self, request: Request, method: str, table: inputs.Table, encode: Callable[[Any], Response]) -> Job:
        """The job that asks one of the methods about rows, and encodes what it gives."""
        together = self._stacks.get(method)
        stack = None
        if together is not None and table.numeric and rowwise.fits(table.values):
            stack = Stack(method, table.values, together)
        return Job(request, lambda: self.call(method, table), encode, stack, table.rows)

    def call(self, method: str, table: inputs.Table) -> Any:
        """What the estimator's method gives for the rows. Raises: Refused where it doesn't take them."""
        values = table.values
        # The sum of the squares says it of all numbers at once; NaN compares as false.
        sklearn = sys.modules.get("sklearn")
        if sklearn is None or not table.numeric or np.vdot(values, values) < _SAFE**2:
            return self._ask(method, values)
        with sklearn.config_context(assume_finite=False):
            return self._ask(method, values)

    def infer(self, request: Request, asked: oip.Inference, model: str, version: str) -> Job:
        """The job for an inference by the Open Inference Protocol. Raises: Refused."""
        table = self._table_of(asked.tensors)
        methods = asked.outputs or (("predict",) if "predict" in self._calls else (self.default,))
        unknown = [name for name in methods if name not in self._calls]
        if unknown:
            raise Refused(400, f'There is no output "{unknown[0]}"; there are {", ".join(self.methods)}.')
        given_id = asked.id or request.id.decode("latin-1")
        if len(methods) == 1:
            method = methods[0]
            encode = oip.answer(model, version, given_id, lambda result: [oip.tensor_json(method, plain(result))])
            return self.job(request, method, table, encode)
        encode = oip.answer(
            model, version, given_id, lambda results: [oip.tensor_json(m, plain(r)) for m, r in results.items()]
        )
        return Job(request, lambda: {name: self.call(name, table) for name in methods}, encode, None, table.rows)

    def _table_of(self, tensors: Sequence[oip.Tensor]) -> inputs.Table:
        """The rows in one tensor, or in one tensor per column."""
        first = tensors[0]
        if len(tensors) == 1 and (first.values.ndim != 1 or self.schema.width is None):
            values = first.values
            rows: Any = values.tolist() if values.dtype.kind == "O" and values.ndim == 1 else values
            if values.dtype.kind in "biuf":
                rows = values.astype(np.float64)
            if not len(rows):
                raise Refused(400, f'"{first.name}" has no rows.')
            return inputs.check(rows, self.schema, first.name)
        named = {tensor.name: tensor.values.ravel().tolist() for tensor in tensors}
        return inputs.read_rows(named, self.schema, "inputs")

    def _outputs(self, seconds: float) -> dict[str, Any]:
        """What each method gives for one row, where random numbers are a row for it."""
        found: dict[str, Any] = {}
        if seconds == float("inf") or self.schema.width is None:
            return found
        row = np.random.default_rng(0).random((1, self.schema.width))
        for method in self.methods:
            with contextlib.suppress(Exception):  # not every method that is there takes such rows
                found[method] = np.asarray(plain(self._calls[method](self._framed(row))))
        return found

    def _inputs(self) -> list[oip.Described]:
        """The tensors to ask with: a table, or a tensor for each column. None where no tensor holds what it takes."""
        if self.schema.width is None:
            return [described for row, described in _NO_ROWS if self._takes(row)][:1]
        kinds = {column.is_text for column in self.columns}
        if self.schema.names is None and len(kinds) == 1:
            return [oip.Described("input", _datatype(self.columns[0]), [-1, self.schema.width])]
        return [oip.Described(column.name, _datatype(column), [-1]) for column in self.columns]

    def _takes(self, row: Any) -> bool:
        """Whether it has an answer for a row."""
        try:
            self.call(self.default, inputs.read_rows([row], self.schema, "data"))
        except Exception:
            return False
        return True

    def _ask(self, method: str, values: Any) -> Any:
        try:
            return self._calls[method](self._framed(values))
        except (ValueError, TypeError, KeyError, OverflowError, IndexError, AttributeError) as error:
            raise Refused(400, f"{self.kind} doesn't take these rows: {_first_line(error)}") from error

    def _framed(self, values: Any) -> Any:
        return values if self.schema.names is None else _frame(values, self.schema.names)


class _Together:
    """Asks the rows of several requests at once."""

    __slots__ = ("_ask",)

    def __init__(self, ask: Callable[[Any], Any]) -> None:
        self._ask = ask

    def __call__(self, tables: Sequence[Any]) -> list[Any]:
        result = self._ask(np.concatenate(tables))
        if len(result) == len(tables):
            return [result[place : place + 1] for place in range(len(tables))]
        ends = np.cumsum([len(table) for table in tables]).tolist()
        return [result[start:end] for start, end in zip([0, *ends], ends)]


class _Encoder:
    """Writes a result under the name of its method."""

    __slots__ = ("_prefix",)

    def __init__(self, method: str) -> None:
        self._prefix = b'{"%b":' % method.encode()

    def __call__(self, result: Any) -> Response:
        return Response(200, b"%b%b}" % (self._prefix, json_text.dumps(plain(result), as_json)))


def _datatype(column: Column) -> str:
    return "BYTES" if column.is_text else "FP64"


def _knows_texts(fitted: Any) -> bool:
    """Whether it, or a part of it, was fitted to texts."""
    categories = getattr(fitted, "categories_", ())
    if any(getattr(known, "dtype", np.dtype(float)).kind in "OUS" for known in categories):
        return True
    parts = [part[1] for name in ("steps", "transformers_", "transformer_list") for part in getattr(fitted, name, ())]
    parts += [getattr(fitted, name) for name in ("best_estimator_", "estimator_") if hasattr(fitted, name)]
    return any(_knows_texts(part) for part in parts)


def plain(result: Any) -> Any:
    """A method's result without what JSON has no form for: sparse matrices become arrays."""
    if hasattr(result, "toarray"):
        return np.ascontiguousarray(result.toarray())
    if isinstance(result, np.ndarray):
        return np.ascontiguousarray(result)
    if isinstance(result, (list, tuple)):
        return [plain(item) for item in result]
    return result


def load(folder: str, settings: Settings) -> Estimator:
    """The estimator in a model's folder. Raises: NotServable, UnsafeModel, OSError."""
    path = only_model_file(folder, (*pickles.SUFFIXES, ".onnx"))
    fitted = onnx_model.load(path) if path.endswith(".onnx") else pickles.load(path, settings.pickle_allow)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Estimator(fitted, settings)


def _frame(values: Any, names: Sequence[str]) -> Any:
    try:
        import pandas  # type: ignore[import-untyped,unused-ignore]  # has its types elsewhere
    except ImportError:  # the model was fitted with names in an environment that had it
        return values
    if isinstance(values, np.ndarray) and values.dtype.kind == "O":
        return pandas.DataFrame({name: values[:, place].tolist() for place, name in enumerate(names)})
    return pandas.DataFrame(values, columns=names)


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0] or type(error).__name__
