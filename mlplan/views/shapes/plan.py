"""A plan."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from mlplan.fingerprint import Role
from mlplan.plan.attribution import Attribution
from mlplan.plan.changes import Action, Cause, Impact
from mlplan.views.shapes.golden import GoldenLimits, GoldenReport
from mlplan.views.shapes.words import Address, Digest, Kind, Values, Version


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
