"""The state, and the log that it is folded from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from mlplan.fingerprint import Role
from mlplan.state.records import RunStatus
from mlplan.views.shapes.golden import GoldenReport
from mlplan.views.shapes.words import Address, Digest, Time, Values, Version


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
