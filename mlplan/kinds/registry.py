"""The planning side of each kind, by name. Who adds a kind adds its folder, and a line here and in effects.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.kinds.compute import desired as compute
from mlplan.kinds.dataset import desired as dataset
from mlplan.kinds.deployment import desired as deployment
from mlplan.kinds.inference import desired as inference
from mlplan.kinds.model import desired as model
from mlplan.kinds.run import desired as run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.kinds.protocol import Kind

KINDS: Mapping[str, Kind] = {
    "compute": compute,
    "dataset": dataset,
    "run": run,
    "model": model,
    "inference": inference,
    "deployment": deployment,
}
