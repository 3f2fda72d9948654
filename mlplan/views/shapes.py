"""The published JSON forms as pydantic models: a plan, the events of an apply, the state.

`schema.py` makes `schemas/` of them; nothing at run time imports this. The docstrings are the descriptions that
readers of the schemas see. What writes these forms: `plan_json.py`, `events_json.py`, `records.py`,
`mlplan/state/encode.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from mlplan.events import Outcome
from mlplan.fingerprint import Role
from mlplan.plan.attribution import Attribution
from mlplan.plan.changes import Action, Cause, Impact
from mlplan.state.records import RunStatus

Address = Annotated[str, Field(pattern=r"^(compute|dataset|run|model|inference|deployment)\.[A-Za-z0-9_-]+$")]
"""A resource's address, such as `run.train`."""
Kind = Literal["compute", "dataset", "run", "model", "inference", "deployment"]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="A sha256.")]
Version = Annotated[str, Field(pattern=r"^1\.[0-9]+$", description="The format. 1.x adds fields, 2.0 changes some.")]
Time = Annotated[str, Field(description="UTC, ISO 8601.")]
Values = dict[str, Any]


# -- a plan ----------------------------------------------------------------------------------------------------------


class ValueChange(BaseModel):
    """A resource's parts before and after, by name."""

    actions: list[Literal["no-op", "skip", "restore", "update", "create", "run", "register", "delete"]] = Field(
        description='What is done. A replacement is `["delete", "create"]`.'
    )
    before: Values | None = Field(description="As recorded; null for what is new. Files stand as a short digest.")
    after: Values | None = Field(description="As the manifest asks; null for what goes.")
    after_unknown: dict[str, Literal[True]] = Field(description="Parts that are known only after the apply.")


class ReasonShape(BaseModel):
    """Why a change is made."""

    cause: Cause
    subject: str = Field(description="The part, as a user knows it: `--regularization`, `scripts/train.py`.")
    before: Any
    after: Any
    detail: str
    text: str = Field(description="The whole reason in words.")


class ForecastShape(BaseModel):
    """What a run cost the last time."""

    duration_s: float
    peak_memory_bytes: int


class PartShape(BaseModel):
    """A part of a fingerprint."""

    role: Role = Field(description="What a difference in it asks for.")
    digest: str | None = Field(description="Null where it is known only after the apply.")
    value: Any = Field(default=None, description="What is shown of it; null for files and the like.")
    waits_for: str | None = Field(default=None, description="The address whose apply tells it.")


class FingerprintShape(BaseModel):
    """All parts of a resource, by name: what applying a plan file compares."""

    before: dict[str, PartShape]
    after: dict[str, PartShape]


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


class GoldenRequests(BaseModel):
    """A file of golden requests that a service is asked before the change counts as done."""

    file: str
    requests: int | None = Field(description="How many; null where the file wasn't read.")
    limits: GoldenLimits
    is_compared: bool = Field(description="Whether they are asked of the live service, too, if it answers.")
    report: GoldenReport | None = Field(
        description="What they came to when this very candidate was asked; null where it wasn't."
    )
    missed: list[Literal["changed", "slower", "p99"]] = Field(description="The limits that the report is beyond.")


class ResourceChange(BaseModel):
    """What is done to one resource, and why."""

    address: Address
    type: Kind
    name: str
    change: ValueChange
    action: Action
    action_reason: Annotated[str, Field(pattern="^[a-z_]+_b(y|ecause)_[a-z_]+$")] | None = Field(
        description="The first reason as one word; null where nothing is done."
    )
    reasons: list[ReasonShape]
    impact: Impact = Field(description="What it means for those who live with it.")
    conditional: list[Address] = Field(description="It is dropped if all of these come out as they are recorded.")
    forecast: ForecastShape | None
    loss: str = Field(description="What is lost, in one sentence.")
    notes: list[str]
    yields: Values | None = Field(description="What it hands to others; null where that isn't known yet.")
    fingerprint: FingerprintShape
    golden_requests: list[GoldenRequests] | None = Field(
        default=None, description="What a service is asked; left out where there are none."
    )
    attribution: Attribution | None = Field(default=None, description="Who caused it, where that is known.")


class DriftShape(BaseModel):
    """One way in which the world differs from the state."""

    subject: str
    problem: str
    before: Any
    after: Any


class DriftChange(BaseModel):
    """What differs, by subject."""

    actions: list[Literal["update"]]
    before: Values
    after: Values


class ResourceDrift(BaseModel):
    """How one resource differs in the world from what was applied."""

    address: Address
    type: Kind
    name: str
    change: DriftChange
    drift: list[DriftShape]


class Check(BaseModel):
    """A gate or a test request."""

    address: Address
    name: str
    status: Literal["pass", "unknown"] = Field(description="`unknown`: it is asked during the apply.")


class Chosen(BaseModel):
    """The resources that a plan was asked to look at: `apply FILE` looks at the same."""

    only: list[Address] = Field(description="These and what they need; empty: all.")
    exclude: list[Address] = Field(description="Not these, and not what needs them.")
    replace: list[Address] = Field(description="Made anew whatever their parts say.")


class PlanShape(BaseModel):
    """A plan: what an apply would do, in the order of the graph, deletions last."""

    format_version: Version
    mlplan_version: str
    project: str
    lineage: str = Field(description="Which history of a workspace the plan was made on.")
    serial: int = Field(description="How far that history was.")
    manifest_digest: str
    base: str = Field(description="The revision that was compared with instead of the state, or empty.")
    applyable: bool = Field(description="Whether there is something that an apply could do.")
    complete: bool = Field(description="False where a selection left resources out.")
    selection: Chosen
    notes: list[str] = Field(description="What no single change says and a reader has to know.")
    summary: str
    resource_changes: list[ResourceChange]
    resource_drift: list[ResourceDrift]
    checks: list[Check]
    outputs: dict[Address, Values] = Field(description="Where services will answer.")
    digest: Digest = Field(description="Over the whole document without this field, keys sorted, without spaces.")


# -- events ----------------------------------------------------------------------------------------------------------


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


# -- the state -------------------------------------------------------------------------------------------------------


class StatePart(BaseModel):
    """A part as it was applied."""

    role: Role
    digest: str | None
    value: Any


class ResourceShape(BaseModel):
    """A resource as it was last applied."""

    address: Address
    serial: int = Field(description="Of the commit that recorded it.")
    protect: bool
    outputs: Values = Field(description="What it yields to others: version, metrics, scoring_uri, ...")
    parts: dict[str, StatePart]


class StateShape(BaseModel):
    """What `mlplan show --format json` prints: the log, folded."""

    format_version: Version
    project: str
    lineage: str
    serial: int
    resources: list[ResourceShape]
    open_intents: list[Address] = Field(description="Where an apply was interrupted; the next one settles it.")


class Commit(BaseModel):
    """A commit of the log."""

    format: Literal[1, 2]
    serial: int = Field(description="Counts from 1, and names the record's file.")
    before: str = Field(description="The sha256 of the commit before it; empty for the first.")
    lease: str
    token: str
    time: Time
    who: str
    revision: str = Field(description="The project's git revision, ending in + where the tree was dirty; or empty.")
    command: str
    entries: list[EntryShape]


class EntryShape(BaseModel):
    """What a commit says: the kind of entry under `entry`, and that kind's fields."""

    entry: Literal[
        "created",
        "lease-taken",
        "lease-released",
        "intent-opened",
        "intent-closed",
        "resource-recorded",
        "resource-removed",
        "resource-moved",
        "versioned",
        "run-ended",
        "collected",
        "switch-stopped",
        "moved",
    ]
    address: Address | None = None
    project: str | None = None
    lineage: str | None = None
    id: str | None = None
    holder: Values | None = None
    key: str | None = None
    action: str | None = None
    fingerprint: str | None = None
    attempt: int | None = None
    detail: Values | None = None
    outcome: Literal["done", "failed", "canceled", "cleared"] | None = None
    message: str | None = None
    parts: dict[str, list[Any]] | None = Field(default=None, description="By name: [role, digest, value].")
    outputs: Values | None = None
    protect: bool | None = None
    old: Address | None = None
    new: Address | None = None
    number: int | None = None
    digest: str | None = None
    details: Values | None = None
    record: RunShape | None = None
    digests: list[str] | None = None
    candidate: str | None = None
    live: str | None = None
    reports: dict[str, GoldenReport] | None = None
    place: str | None = None


class RunShape(BaseModel):
    """One execution of a run."""

    id: str
    address: Address
    fingerprint: str
    attempt: int
    status: RunStatus
    started: Time
    duration_s: float
    peak_memory_bytes: int
    exit_code: int | None
    outputs: str | None
    logs: str | None
    metrics: Values
    serial: int
    ended_by: str


class LogRecord(BaseModel):
    """A file of the workspace's log."""

    sha256: Digest = Field(description="Of the bytes of `commit`.")
    commit: Commit
