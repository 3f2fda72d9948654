"""What may be written of a compute of type `docker`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlplan.manifest.models import ComputeBase

IMAGE = r"^[A-Za-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64})?$"


class Compute(ComputeBase):
    """Containers of the Docker engine on this machine, from images that mlplan renders and builds."""

    type: Literal["docker"]
    """The Docker engine on this machine."""
    base_image: Annotated[str, Field(pattern=IMAGE)] | None = None
    """The image that all images here are built from, best pinned by its digest. It has to have the Python that the
    environments ask for, as `python3`, with `venv` and `pip`. Left out: `python:VERSION-slim-bookworm`."""
    buildkit: bool = True
    """Whether images are built by BuildKit, which keeps downloaded packages between builds, where the engine has it.
    False: always by the engine's older builder."""
    max_nodes: Annotated[int, Field(ge=1)] = 1
    """How many jobs run at once."""
