"""What all forms share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

Address = Annotated[str, Field(pattern=r"^(compute|dataset|run|model|inference|deployment)\.[A-Za-z0-9_-]+$")]
"""A resource's address, such as `run.train`."""
Kind = Literal["compute", "dataset", "run", "model", "inference", "deployment"]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="A sha256.")]
Version = Annotated[str, Field(pattern=r"^1\.[0-9]+$", description="The format. 1.x adds fields, 2.0 changes some.")]
Time = Annotated[str, Field(description="UTC, ISO 8601.")]
Values = dict[str, Any]
