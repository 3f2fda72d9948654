"""mlplan: declare, review and apply a machine-learning project like infrastructure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlplan.tracking.shim._mlplan_tracking import log_metric as log_metric

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`mlplan.log_metric`, loaded when a script asks for it."""
    if name == "log_metric":
        from mlplan.tracking.shim._mlplan_tracking import log_metric

        return log_metric
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
