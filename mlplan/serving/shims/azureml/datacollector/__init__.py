"""`ModelDataCollector`, the older generation. Its rows go the way of the newer one's (`azureml.monitoring`)."""

from __future__ import annotations

import datetime
import sys
import uuid
from typing import Any

from azureml.monitoring import (  # type: ignore[import-not-found]  # a worker's path
    ModelDataCollector as _Newer,
)

# The runtime under whatever name it was started.
_collect: Any = vars(sys.modules["_mlplan_runtime"])["collect"]


class ModelDataCollector:
    """Collects rows for one model under an identifier. The names of a storage account are taken and not used."""

    def __init__(
        self,
        model_name: str,
        identifier: str = "default",
        feature_names: Any = None,
        model_management_account_id: str = "unknown",
        webservice_name: str = "unknown",
        model_id: str = "unknown",
        model_version: str = "default",
    ) -> None:
        kind = identifier if identifier in ("inputs", "predictions", "labels", "signals") else "general"
        version = "default" if model_version == "unknown" else model_version
        self._inner = _Newer(model_name, kind, feature_names, webservice_name=webservice_name, model_version=version)

    def collect(self, data: Any, user_correlation_id: str = "") -> None:
        """Takes rows. Each begins with its time and ids, as it did there."""
        rows = self._inner._rows(data)
        stamp = {
            "$Timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(),
            "$CorrelationId": user_correlation_id or str(uuid.uuid4()),
            "$RequestId": _collect.request_id(),
        }
        self._inner.collect(data if rows is None else [{**stamp, **row} for row in rows])
