"""What the state knows: resources as last applied, versions, runs, open intents, the lease."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from mlplan.address import Address
from mlplan.fingerprint import Parts
from mlplan.json_types import Json


class Recorded(NamedTuple):
    """A resource as it was last applied."""

    address: Address
    parts: Parts  # its fingerprint then, part by part
    outputs: Mapping[str, Json]  # what it yields to others: version, digest, metrics, scoring_uri, ...
    protect: bool
    serial: int  # of the commit that recorded it


class Version(NamedTuple):
    """One version of a dataset or model. Never altered, never reused."""

    number: int  # from 1
    digest: str  # of its tree (workspace/trees)
    serial: int
    details: Mapping[str, Json]  # where it came from: run id, metrics, framework, sources, size_bytes, files


RunStatus = Literal["Completed", "Failed", "Canceled"]


class RunRecord(NamedTuple):
    """One execution of a run, ended."""

    id: str  # train-3f2a9c1e0b-1: name, first ten characters of the fingerprint, attempt
    address: Address
    fingerprint: str
    attempt: int  # from 1, per fingerprint
    status: RunStatus
    started: str  # UTC, ISO 8601
    duration_s: float
    peak_memory_bytes: int
    exit_code: int | None
    outputs: str | None  # digest of the tree of outputs/, kept; None where nothing is
    logs: str | None  # digest of the tree of logs
    metrics: Mapping[str, Json]
    serial: int
    ended_by: str = ""  # what ended it, where that wasn't itself: "timeout", "out of memory"


class Intent(NamedTuple):
    """An effect that was begun and whose result is not yet recorded."""

    key: str  # the idempotency key: what the effect is known by in the world
    address: Address
    action: str
    fingerprint: str
    attempt: int
    detail: Mapping[str, Json]  # what settling it needs: target type, names, paths
    serial: int


class Stopped(NamedTuple):
    """A candidate of a service that was kept from the traffic by what it answered."""

    candidate: str  # what names the generation that was asked
    live: str  # what names the one that it was compared with; "" where none was there
    reports: Mapping[str, Json]  # what golden requests came to, by their file
    serial: int  # of the commit that recorded it


class Lease(NamedTuple):
    """Who may have effects now."""

    id: str  # random, one per taking
    holder: Mapping[str, Json]  # host, boot, pid, start time, command, user, CI run
    serial: int  # of the commit that took it
    taken: str  # UTC, ISO 8601


class State(NamedTuple):
    """The log, folded up to and including commit `serial` (0: nothing yet)."""

    serial: int
    lineage: str  # random, from the first commit: which history this is
    project: str
    resources: Mapping[Address, Recorded]
    versions: Mapping[Address, tuple[Version, ...]]  # of datasets and models; by ascending number
    runs: Mapping[Address, tuple[RunRecord, ...]]  # by ascending serial
    intents: Mapping[str, Intent]  # open ones, by key
    lease: Lease | None
    moved: str = ""  # the place where the history goes on; "": here
    stopped: Mapping[Address, Stopped] = {}  # of services that no switch was made of since: the newest candidate each

    def version_of(self, address: Address, digest: str) -> Version | None:
        """The version of a dataset or model that has these bytes, or None."""
        return next((v for v in self.versions.get(address, ()) if v.digest == digest), None)

    def kept_run(self, address: Address, fingerprint: str) -> RunRecord | None:
        """The newest completed run of this fingerprint whose outputs are still kept, or None: what can be restored
        instead of run."""
        for record in reversed(self.runs.get(address, ())):
            if record.fingerprint == fingerprint and record.status == "Completed" and record.outputs:
                return record
        return None


EMPTY = State(0, "", "", {}, {}, {}, {}, None)
"""The state of a workspace that does not exist yet."""
