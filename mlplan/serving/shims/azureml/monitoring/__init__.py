"""`ModelDataCollector`, the newer generation: rows of inputs, predictions and the like, kept where the service says.

It collects where the deployment has `collect`, or AML_MODEL_DC_STORAGE_ENABLED is true. The rows are JSON lines
under the model, version, designation and day; there is no CSV and no storage account.
"""

from __future__ import annotations

import datetime
import os
import sys
import uuid
from typing import Any

_DESIGNATIONS = ("inputs", "predictions", "labels", "signals", "general")

# The runtime under whatever name it was started.
_collect: Any = vars(sys.modules["_mlplan_runtime"])["collect"]


class ModelDataCollector:
    """Collects rows of one kind for one model. Where nothing is collected, its calls do nothing."""

    def __init__(
        self,
        model_name: str,
        designation: str = "default",
        feature_names: Any = None,
        workspace: str = "default/default/default",
        webservice_name: str = "default",
        model_version: str = "default",
        collection_name: str = "default",
    ) -> None:
        self._kind = "general" if designation == "default" else designation
        self._model, self._version = model_name, _newest(model_name, model_version)
        self._names = list(feature_names) if feature_names is not None else None
        self._facts = {
            "$aml_dc_boundary": 60 if os.environ.get("AML_MODEL_DC_BOUNDARY") == "hour" else 1440,
            "$aml_workspace": workspace.rpartition("/")[2],
            "$aml_service_name": os.environ.get("SERVICE_NAME", webservice_name),
            "$aml_model_name": self._model,
            "$aml_model_version": self._version,
        }
        self._debug = os.environ.get("AML_MODEL_DC_DEBUG", "").lower() == "true"
        self._enabled = _collect.current() is not None and self._kind in _DESIGNATIONS
        if self._kind not in _DESIGNATIONS:
            print(f"Nothing is collected: designation must be one of {', '.join(_DESIGNATIONS)}")
        elif not self._enabled:
            print("Nothing is collected: this deployment has no collect")

    def collect(self, data: Any, user_correlation_id: str = "") -> Any:
        """Takes rows: a list, an array (one dimension is one row) or a DataFrame.

        For `inputs` the correlation columns come back, to be added to the predictions.
        """
        if not self._enabled:
            return None
        rows = self._rows(data)
        if rows is None:
            print(f"Not collected: {type(data).__name__} is no list, array or DataFrame")
            return None
        correlations = self._correlations(user_correlation_id) if self._kind == "inputs" else None
        records = [{**row, **(correlations or {})} for row in rows]
        if self._debug:
            print(*records, sep="\n")
        place = _collect.Place(self._model, self._version, self._kind)
        _collect.current().rows(place, records, 64 * sum(len(record) for record in records))
        return correlations

    def add_correlations(self, data: Any, correlations: Any) -> Any:
        """The data with the correlation columns of their inputs."""
        if not self._enabled or not correlations:
            return data
        if hasattr(data, "assign"):
            return data.assign(**correlations)
        rows = self._rows(data)
        return data if rows is None else [{**row, **correlations} for row in rows]

    def _rows(self, data: Any) -> Any:
        if hasattr(data, "to_dict") and hasattr(data, "columns"):
            return data.to_dict(orient="records")
        if hasattr(data, "tolist"):
            data = data.tolist()
        if not isinstance(data, list):
            return None
        if not data or not isinstance(data[0], (list, tuple, dict)):
            data = [data]
        return [row if isinstance(row, dict) else dict(zip(self._columns(len(row)), row)) for row in data]

    def _columns(self, count: int) -> list[str]:
        if self._names is not None and len(self._names) == count:
            return [str(name) for name in self._names]
        return [str(place) for place in range(count)]

    def _correlations(self, user_id: str) -> dict[str, Any]:
        made = str(uuid.uuid4())
        return {
            "$aml_dc_correlation_id": f"{user_id}-{made}" if user_id else made,
            "$aml_dc_scoring_timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(),
            "$aml_request_id": _collect.request_id(),
            **self._facts,
        }


def _newest(model: str, version: str) -> str:
    """The version that is served, where the script doesn't say which it means."""
    root = os.path.join(os.environ.get("AML_APP_ROOT", "."), "azureml-models", model)
    if version != "default" or not os.path.isdir(root):
        return version
    return str(max((int(name) for name in os.listdir(root) if name.isdigit()), default=0))
