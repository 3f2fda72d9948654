"""What golden requests came to."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from mlplan.views.shapes.words import Digest


class ChangedAnswer(BaseModel):
    """A golden request that is answered otherwise than the live service answers it."""

    name: str
    answer: str = Field(description="The new service's, as JSON, shortened.")
    live: str = Field(description="The live service's, as JSON, shortened.")


class GoldenLimits(BaseModel):
    """What stops a switch; what isn't there is no limit."""

    changed: int | None = Field(default=None, description="How many answers may change.")
    p99: str | None = Field(default=None, description="The longest p99: `50ms`.")
    slower: float | None = Field(default=None, description="The longest p50, as a multiple of the live service's.")


class GoldenReport(BaseModel):
    """What golden requests came to: a candidate's answers beside those of the service that was live."""

    asked: int
    wrong: int = Field(description="Errors, and answers that aren't the expected ones.")
    changed: int = Field(description="Answers that differ from the live service's.")
    p50_ms: float
    p99_ms: float
    live_p50_ms: float | None = Field(default=None, description="Left out where no live service answered.")
    live_p99_ms: float | None = None
    examples: list[ChangedAnswer] = Field(description="The first changed answers, five at most.")
    limits: GoldenLimits = Field(description="As they were then.")
    missed: list[Literal["changed", "slower", "p99"]] = Field(description="The limits that it was beyond then.")
    questions: Digest = Field(description="Of what was asked, and how the answers were compared.")
