"""A model that serves itself: a fitted scikit-learn estimator or pipeline, of any kind.

    {"data": [[...], ...], "method": "predict"}  ->  {"predict": [...]}

Without `method` it is predict_proba where the estimator has it, else predict, else the first of METHODS.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Callable

import numpy as np

from . import inputs, json_text, pickles, rowwise
from .entry import json_body, parse_json
from .messages import Refused, Request, Response
from .model_files import only_model_file
from .results import as_json
from .scoring import Job, Stack
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


class NotServable(Exception):
    """The object can't answer for new data."""


class Estimator:
    """A fitted estimator, ready to answer."""

    is_async = False

    def __init__(self, fitted: Any, settings: Settings) -> None:
        self.fitted = fitted
        self.kind = type(fitted).__name__
        self.methods = tuple(name for name in METHODS if callable(getattr(fitted, name, None)))
        if not self.methods:
            raise NotServable(f"{self.kind} has none of the methods {', '.join(METHODS)}")
        self.default = self.methods[0]
        names = getattr(fitted, "feature_names_in_", None)
        width = getattr(fitted, "n_features_in_", None)
        self.schema = inputs.Schema(
            width=int(width) if width is not None else None,
            names=[str(name) for name in names] if names is not None else None,
        )
        self._calls = {name: getattr(fitted, name) for name in self.methods}
        self._encoders = {name: _Encoder(name) for name in self.methods}
        self.enter_thread()
        found = rowwise.study(fitted, self.methods, self.schema.width, self._framed)
        self.quick = found.seconds < _QUICK_S
        self._stacks = {} if settings.batch is False else {n: _Together(ask) for n, ask in found.together.items()}

    def enter_thread(self) -> None:
        """To be called by each thread that asks the model. Our own check of the input stands in for a slower one."""
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
        if not table.numeric or (values.min() > -_SAFE and values.max() < _SAFE):
            return self._ask(method, values)
        import sklearn

        with sklearn.config_context(assume_finite=False):
            return self._ask(method, values)

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
    fitted = pickles.load(only_model_file(folder), settings.pickle_allow)
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
