"""The applying side of each kind, by name. Loaded by an apply, never by a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.kinds.compute import effects as compute
from mlplan.kinds.dataset import effects as dataset
from mlplan.kinds.deployment import effects as deployment
from mlplan.kinds.inference import effects as inference
from mlplan.kinds.model import effects as model
from mlplan.kinds.run import effects as run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.kinds.protocol import Performer

PERFORMERS: Mapping[str, Performer] = {
    "compute": compute,
    "dataset": dataset,
    "run": run,
    "model": model,
    "inference": inference,
    "deployment": deployment,
}
