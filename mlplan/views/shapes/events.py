"""The events of an apply, a line each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from mlplan.events import Outcome
from mlplan.plan.changes import Action
from mlplan.views.shapes.words import Address, Time, Values, Version


class VersionLine(BaseModel):
    """The first line."""

    type: Literal["version"]
    format_version: Version
    mlplan_version: str


class Line(BaseModel):
    """What every line after the first has."""

    sequence: int = Field(description="Counts from 1.")
    time: Time


class ApplyStarted(Line):
    """An apply begins."""

    type: Literal["apply_started"]
    project: str
    serial: int
    changes: int
    command: str


class ChangeStarted(Line):
    """Work on one change begins."""

    type: Literal["change_started"]
    address: Address
    action: Action


class StageReached(Line):
    """A change went on to another stage."""

    type: Literal["stage_reached"]
    address: Address
    stage: str
    detail: str


class OutputLine(Line):
    """A line that a script or a build printed."""

    type: Literal["output_line"]
    address: Address
    line: str


class ProgressMade(Line):
    """How far a long piece of work is, in bytes."""

    type: Literal["progress_made"]
    address: Address
    what: str
    done: int
    total: int | None


class ChangeFinished(Line):
    """A change ended, or was never started."""

    type: Literal["change_finished"]
    address: Address
    action: Action
    outcome: Outcome
    elapsed_s: float
    outputs: Values
    log_tail: list[str]


class StateSaved(Line):
    """A commit is in the log."""

    type: Literal["state_saved"]
    serial: int


class Position(BaseModel):
    """A place in a file, counted from 1, in characters."""

    line: int
    column: int


class RangeShape(BaseModel):
    """A stretch of a file, its end exclusive."""

    filename: str
    start: Position
    end: Position


class SnippetShape(BaseModel):
    """The line that a diagnostic is about, where it is at hand."""

    code: str
    start_line: int
    text: str


class Related(BaseModel):
    """Another place that belongs to a diagnostic."""

    range: RangeShape
    text: str


class DiagnosticShape(BaseModel):
    """Something to tell the user."""

    severity: Literal["error", "warning", "note"]
    code: Annotated[str, Field(pattern="^MLP[1-9][0-9]{3}$")]
    summary: str
    detail: str
    hint: str
    address: Address | None
    fingerprint: str = Field(description="The same finding keeps it when lines move.")
    range: RangeShape | None = None
    snippet: SnippetShape | None = None
    related: list[Related] | None = None


class DiagnosticRaised(Line):
    """A diagnostic came up."""

    type: Literal["diagnostic_raised"]
    diagnostic: DiagnosticShape


class ApplyFinished(Line):
    """An apply ended. The last line."""

    type: Literal["apply_finished"]
    exit_code: int
    elapsed_s: float
    counts: dict[Outcome, int]
    changes: dict[Outcome, list[Address]] = Field(description="Which changes ended how.")
    next: list[str] = Field(description="Commands that make sense now: how to go on, or what to look at.")


EVENT_SHAPES: tuple[type[BaseModel], ...] = (
    VersionLine,
    ApplyStarted,
    ChangeStarted,
    StageReached,
    OutputLine,
    ProgressMade,
    ChangeFinished,
    StateSaved,
    DiagnosticRaised,
    ApplyFinished,
)
