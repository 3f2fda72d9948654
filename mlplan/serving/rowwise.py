"""Which of an estimator's methods give many rows, asked together, exactly what they give each row alone.

To the bit: a matrix product of 32 rows adds up in another order than one of a single row, so most linear models
don't, and their probabilities are asked for one by one. Two things are known for sure and used:

* The order of additions depends on the shapes, not on the numbers. So a method whose numbers come straight out of
  its arithmetic is tried on random rows: what differs, differs there. (A method that rounds, votes or compares
  hides a difference; so trees may only follow steps that are exact themselves, and neighbours aren't stacked.)
* A label can't flip where the scores behind it are further apart than the arithmetic can err. So labels of
  classifiers with scores are taken from the scores of all rows together, and the close calls are asked alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any, Callable, NamedTuple

import numpy as np

Ask = Callable[[Any], Any]

MAX_ROWS = 64
_TREES = ("sklearn.tree", "sklearn.ensemble._forest", "sklearn.ensemble._gb", "sklearn.ensemble._iforest",
          "sklearn.ensemble._hist_gradient_boosting")  # fmt: skip
_SMOOTH = ("sklearn.linear_model", "sklearn.svm", "sklearn.neural_network", "sklearn.naive_bayes",
           "sklearn.discriminant_analysis", "sklearn.cross_decomposition", "sklearn.kernel_ridge")  # fmt: skip
_STEPS = ("sklearn.preprocessing", "sklearn.decomposition", "sklearn.feature_selection", "sklearn.random_projection",
          "sklearn.impute._base", "sklearn.kernel_approximation")  # fmt: skip
_SCORES = ("decision_function", "predict_proba")
_BUDGET_S = 0.1  # for trying one method
_START_S = 0.4  # for all of them: a service has to start
_EVERY = range(2, MAX_ROWS + 1)
_SOME = (2, 5, 17)  # for trees, which treat each row alone however many there are
_LARGE = 1e6  # rows with larger numbers may lose more to rounding than _CLOSE allows for
_CLOSE = 1e-6


class Rowwise(NamedTuple):
    """What was found out about an estimator."""

    together: dict[str, Ask]  # by method: how many rows are asked at once
    seconds: float  # what one row takes; infinity where it couldn't be tried


def study(fitted: Any, methods: tuple[str, ...], width: int | None, frame: Ask) -> Rowwise:
    """Tries an estimator on random rows. `frame` makes of an array what the estimator is asked with."""
    if width is None:
        return Rowwise({}, float("inf"))
    rows = np.random.default_rng(0).random((MAX_ROWS, width))
    trial = _Trial(fitted, rows, frame)
    seconds = trial.seconds_of(methods[0])
    together: dict[str, Ask] = {}
    until = perf_counter() + _START_S
    for method in sorted(methods, key=lambda name: name != "predict"):
        ask = trial.together(method) if perf_counter() < until else None
        if ask is not None:
            together[method] = ask
    return Rowwise(together, seconds)


def fits(values: Any) -> bool:
    """Whether rows may be asked together with others."""
    # The sum of the squares says it of all of them at once; NaN compares as false.
    return bool(np.vdot(values, values) < _LARGE**2)


class _Trial:
    def __init__(self, fitted: Any, rows: Any, frame: Ask) -> None:
        self._fitted = fitted
        self._rows = rows
        self._frame = frame
        self._known: dict[str, bool] = {}
        inner = getattr(fitted, "best_estimator_", fitted)
        steps = [step for _, step in getattr(inner, "steps", [])]
        self._front = [step for step in steps[:-1] if step not in (None, "passthrough")]
        self._last = steps[-1] if steps else inner

    def seconds_of(self, method: str) -> float:
        """What one row takes, warmed up."""
        try:
            ask = self._asker(self._fitted, method)
            times = []
            for _ in range(5):
                started = perf_counter()
                ask(self._rows[:1])
                times.append(perf_counter() - started)
        except Exception:  # random rows are nothing for this estimator
            return float("inf")
        return min(times)

    def together(self, method: str) -> Ask | None:
        """How to ask many rows at once; None where that may not be the same."""
        if _is_of(self._last, _TREES):
            exact = all(_is_of(step, _STEPS) for step in self._front) and self._front_is_exact()
            return self._asker(self._fitted, method) if exact and self._is_exact(method) else None
        if not _is_of(self._last, _SMOOTH if method != "transform" else (*_SMOOTH, *_STEPS)):
            return None
        if not all(_is_of(step, _STEPS) for step in self._front):
            return None
        if method == "predict" and hasattr(self._fitted, "classes_"):
            return self._labels()
        return self._asker(self._fitted, method) if self._is_exact(method) else None

    def _labels(self) -> Ask | None:
        """How to ask for labels: by scores, where those can be told apart."""
        scores = next((name for name in _SCORES if callable(getattr(self._fitted, name, None))), None)
        if scores is None:
            return None
        predict, ask = self._asker(self._fitted, "predict"), self._asker(self._fitted, scores)
        if self._is_exact(scores):
            return predict
        labels = _Labels(predict, ask, np.asarray(self._fitted.classes_))
        try:
            agrees = np.array_equal(labels(self._rows), predict(self._rows))
        except Exception:  # labels of several outputs, or scores of pairs of classes
            return None
        return labels if agrees else None

    def _front_is_exact(self) -> bool:
        rows = self._rows
        for step in self._front:
            transform = self._asker(step, "transform") if rows is self._rows else step.transform
            if not _same_bits(transform, rows, _EVERY):
                return False
            rows = transform(rows)
        return True

    def _is_exact(self, method: str) -> bool:
        if method not in self._known:
            counts = _SOME if _is_of(self._last, _TREES) else _EVERY
            self._known[method] = _same_bits(self._asker(self._fitted, method), self._rows, counts)
        return self._known[method]

    def _asker(self, of: Any, method: str) -> Ask:
        bound, frame = getattr(of, method), self._frame
        return lambda rows: bound(frame(rows))


class _Labels:
    """The labels of many rows, the close calls asked one by one."""

    def __init__(self, predict: Ask, scores: Ask, classes: Any) -> None:
        self._predict = predict
        self._scores = scores
        self._classes = classes

    def __call__(self, rows: Any) -> Any:
        scores = self._scores(rows)
        if scores.ndim == 1:
            chosen = (scores > 0).astype(np.intp)
            margins = np.abs(scores)
            sizes = np.maximum(margins, 1.0)
        else:
            if scores.shape[1] != len(self._classes):
                raise ValueError("scores of pairs of classes")
            chosen = scores.argmax(axis=1)
            best = np.partition(scores, -2, axis=1)[:, -2:]
            margins = best[:, 1] - best[:, 0]
            sizes = np.maximum(np.abs(scores).max(axis=1), 1.0)
        labels = self._classes[chosen]
        for place in np.flatnonzero(~(margins > _CLOSE * sizes)):
            labels[place] = self._predict(rows[place : place + 1])[0]
        return labels


def _same_bits(ask: Ask, rows: Any, counts: Sequence[int]) -> bool:
    """Whether so many rows asked together give what they give alone. No, where that takes too long to try."""
    try:
        alone = np.concatenate([_array(ask(rows[place : place + 1])) for place in range(max(counts))])
        until = perf_counter() + _BUDGET_S
        # The smallest batches first: what isn't the same shows there.
        for count in counts:
            if not np.array_equal(_array(ask(rows[:count])), alone[:count], equal_nan=alone.dtype.kind == "f"):
                return False
            if perf_counter() > until:
                return False
        return True
    except Exception:  # sparse or nested results, or rows that aren't for this estimator
        return False


def _array(result: Any) -> Any:
    if not isinstance(result, np.ndarray):
        raise TypeError("not an array")
    return result


def _is_of(step: Any, modules: tuple[str, ...]) -> bool:
    """Whether an estimator comes from one of these modules, and isn't one that asks others."""
    home = type(step).__module__
    asks_others = modules is not _TREES and hasattr(step, "estimator")
    return home.startswith(modules) and not asks_others and not hasattr(step, "kneighbors")
