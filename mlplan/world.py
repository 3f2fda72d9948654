"""What observing says: services and jobs as they are, artifacts that are not whole. Facts, never wishes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from mlplan.address import Address
from mlplan.json_types import Json

ServiceState = Literal["Absent", "Transitioning", "Healthy", "Unhealthy", "Unschedulable", "Failed", "Elsewhere"]
"""Elsewhere: it serves from another checkout, and nobody here can look. No target says so."""
JobState = Literal["Absent", "Queued", "Preparing", "Running", "Ended"]


class ObservedService(NamedTuple):
    """A service as its target sees it now."""

    state: ServiceState
    key: str = ""  # the idempotency key of the deployment that is live
    digest: str = ""  # what it says it serves: the digest over its models
    scoring_uri: str = ""
    detail: Mapping[str, Json] = {}  # pid, restarts, container id, uptime_s, ...; for showing


class ObservedJob(NamedTuple):
    """A job as its target sees it now. What follows `state` is told once it has ended."""

    state: JobState
    exit_code: int | None = None  # negative: ended by that signal
    timed_out: bool = False
    canceled: bool = False
    out_of_memory: bool = False
    started: str = ""  # UTC, ISO 8601
    duration_s: float = 0.0
    peak_memory_bytes: int = 0


class Drift(NamedTuple):
    """One way in which the world differs from the state."""

    subject: str  # "service", "model file", "artifact outputs/model.pkl"
    problem: str  # "stopped", "serves another model", "missing", "damaged"
    before: Json = None  # as recorded
    after: Json = None  # as observed


World = Mapping[Address, tuple[Drift, ...]]
"""Drift by address; an address without any is as recorded. Empty with --no-refresh."""
