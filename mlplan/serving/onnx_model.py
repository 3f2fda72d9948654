"""A model in ONNX, asked like an estimator: `predict` is its first output, `predict_proba` a table of scores.

It holds no code of its own: only the operators of the format, which onnxruntime (in the service's environment) runs.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

_NUMBERS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}


class OnnxError(Exception):
    """The file can't be served; the text says why."""


class OnnxModel:
    """One session. Its input is a table of numbers."""

    def __init__(self, session: Any) -> None:
        given = session.get_inputs()
        if len(given) != 1 or given[0].type not in _NUMBERS or len(given[0].shape) != 2:
            listed = ", ".join(f"{each.name}: {each.type} {each.shape}" for each in given)
            raise OnnxError(f"an ONNX model that serves itself takes one table of numbers; this one takes {listed}")
        self._session = session
        self._input = given[0].name
        self._dtype = _NUMBERS[given[0].type]
        outputs = session.get_outputs()
        self._first = outputs[0].name
        scores = next((each for each in outputs[1:] if "float" in each.type or "double" in each.type), None)
        if isinstance(given[0].shape[1], int):
            self.n_features_in_ = given[0].shape[1]
        if scores is not None:
            self._scores = scores.name
            self.predict_proba = self._predict_proba

    def predict(self, rows: Any) -> Any:
        """The first output, a row each."""
        found = np.asarray(self._run(self._first, rows))
        return found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found

    def _predict_proba(self, rows: Any) -> Any:
        found = self._run(self._scores, rows)
        # Exporters write a list of {class: score} where they aren't asked for a table.
        return np.array([list(row.values()) for row in found]) if isinstance(found, list) else found

    def _run(self, output: str, rows: Any) -> Any:
        return self._session.run([output], {self._input: np.asarray(rows, dtype=self._dtype)})[0]


def load(path: str) -> OnnxModel:
    """The model in a file. Raises: OnnxError; what onnxruntime raises for a file that is none."""
    try:
        import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]  # only where a model needs it
    except ImportError:
        raise OnnxError(f"{path} needs the package onnxruntime in its environment") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    options.log_severity_level = 3
    return OnnxModel(onnxruntime.InferenceSession(path, options, providers=onnxruntime.get_available_providers()))
