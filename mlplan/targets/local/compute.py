"""What may be written of a compute of type `local`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mlplan.manifest.models import ComputeBase


class Compute(ComputeBase):
    """This machine: processes of their own, environments by uv."""

    without_effect: ClassVar[dict[str, str]] = {
        "run.resources.shm": "A local job uses the machine's shared memory as it is.",
        "run.resources.gpus": "A local job sees every GPU of the machine.",
        "deployment.resources.shm": "A local service uses the machine's shared memory as it is.",
        "deployment.resources.gpus": "A local service sees every GPU of the machine.",
    }

    type: Literal["local"]
    """This machine."""
    max_nodes: Annotated[int, Field(ge=1)] = 1
    """How many jobs run at once."""
