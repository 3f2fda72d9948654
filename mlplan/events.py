"""What happens during an apply, as values: a closed set. The executor emits, views consume.

Events hold facts, no sentences, and never a secret. The JSON form is public: `schemas/events.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from mlplan.address import Address
from mlplan.diagnostics import Diagnostic
from mlplan.json_types import Json

Outcome = Literal["done", "dropped", "failed", "canceled", "unknown", "not-started"]
"""How a change ended. `dropped`: what it depended on came out as it was, so nothing was to do."""


@dataclass(frozen=True, slots=True)
class ApplyStarted:
    """An apply begins. The first event."""

    project: str
    serial: int
    changes: int  # how many there are to make
    command: str = "mlplan apply"  # that makes them, and that goes on with them should this one be cut off


@dataclass(frozen=True, slots=True)
class ChangeStarted:
    """Work on one change begins."""

    address: Address
    action: str


@dataclass(frozen=True, slots=True)
class StageReached:
    """A change went on to another stage: Preparing, Queued, Running, Finalizing, Transitioning, ..."""

    address: Address
    stage: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OutputLine:
    """A line that a script or a build printed."""

    address: Address
    line: str


@dataclass(frozen=True, slots=True)
class ProgressMade:
    """How far a long piece of work is. `total` is None where it isn't known."""

    address: Address
    what: str  # "download train-images-idx3-ubyte.gz", "hash", "copy"
    done: int  # in bytes
    total: int | None


@dataclass(frozen=True, slots=True)
class ChangeFinished:
    """A change ended. Emitted once per ChangeStarted, and for those never started."""

    address: Address
    action: str
    outcome: Outcome
    elapsed_s: float
    outputs: Mapping[str, Json]  # version, metrics, scoring_uri, ...; of a switch that answers stopped: "golden"
    log_tail: tuple[str, ...] = ()  # of the right log, where it failed


@dataclass(frozen=True, slots=True)
class StateSaved:
    """A commit is in the log."""

    serial: int


@dataclass(frozen=True, slots=True)
class DiagnosticRaised:
    """Something to tell the user."""

    diagnostic: Diagnostic


@dataclass(frozen=True, slots=True)
class ApplyFinished:
    """An apply ends. The last event."""

    exit_code: int
    elapsed_s: float
    counts: Mapping[str, int]  # by outcome


Event = (
    ApplyStarted
    | ChangeStarted
    | StageReached
    | OutputLine
    | ProgressMade
    | ChangeFinished
    | StateSaved
    | DiagnosticRaised
    | ApplyFinished
)

Emit = Callable[[Event], None]
"""Takes an event, from any thread. An observer only watches: it can't stop or alter the work."""
