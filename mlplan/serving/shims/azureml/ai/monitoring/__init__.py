"""`Collector`, the data collector of the retired system's second generation: the rows of DataFrames, under a name.

It collects where the deployment has `collect`, or AML_MODEL_DC_STORAGE_ENABLED is true. The rows are JSON lines under
the service's model, the collector's name and the day, one a row, with the ids that the older collectors write. There
is no storage account, no data asset and no monitoring schedule; the variables that set those up are not read.
"""

from __future__ import annotations

import datetime
import re
import sys
from typing import Any, Callable

from .context import BasicCorrelationContext, Collected, CorrelationContext

__all__ = ["BasicCorrelationContext", "Collector", "CorrelationContext"]

# The runtime under whatever name it was started.
_collect: Any = vars(sys.modules["_mlplan_runtime"])["collect"]

_OFF = "Nothing is collected: this deployment has no collect"


class Collector:
    """Collects rows under a name. Where nothing is collected, its calls do nothing.

    What is wrong goes to `on_error`, and is raised where that isn't given.
    """

    def __init__(self, *, name: str, on_error: Callable[[Exception], Any] | None = None) -> None:
        self._name = name
        self._on_error = on_error or _raise
        self._refusal = "" if _collect.current() is not None else _OFF
        if self._refusal:
            print(self._refusal)
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or name == _collect.REQUESTS:
            self._refusal = (
                f"A collector can't be named {name!r}: use letters, digits, _ and -, not {_collect.REQUESTS}"
            )
            self._on_error(ValueError(self._refusal))

    def collect(self, data: Any, correlation_context: CorrelationContext | None = None) -> Collected:
        """Takes the rows of a DataFrame, and gives the context for what belongs to them."""
        context = Collected(correlation_context, self._refusal)
        if self._refusal:
            return context
        if not (hasattr(data, "to_dict") and hasattr(data, "columns")):
            message = f"Not collected: {type(data).__name__} is no DataFrame"
            self._on_error(TypeError(message))
            return Collected(context, message)
        collector = _collect.current()
        about = {
            "$aml_dc_correlation_id": context.get_id(),
            "$aml_dc_scoring_timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(),
            "$aml_request_id": _collect.request_id(),
        }
        records = [{**row, **about} for row in data.to_dict(orient="records")]
        place = collector.place._replace(designation=self._name)
        collector.rows(place, records, 64 * sum(len(record) for record in records))
        return context


def _raise(error: Exception) -> None:
    raise error
