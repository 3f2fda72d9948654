"""What a commit says: a closed set of entries. A commit holds one or more of them and takes effect as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from mlplan.address import Address
from mlplan.fingerprint import Parts
from mlplan.json_types import Json
from mlplan.state.records import RunRecord


class Created(NamedTuple):
    """The workspace began."""

    lineage: str
    project: str


class LeaseTaken(NamedTuple):
    """From this commit on only the holder of lease `id` may have effects."""

    id: str
    holder: Mapping[str, Json]


class LeaseReleased(NamedTuple):
    """The lease ended: given back, or broken by `unlock`."""

    id: str


class IntentOpened(NamedTuple):
    """An effect is about to begin."""

    key: str
    address: Address
    action: str
    fingerprint: str
    attempt: int
    detail: Mapping[str, Json]


Outcome = Literal["done", "failed", "canceled", "cleared"]


class IntentClosed(NamedTuple):
    """What became of an effect. `cleared`: it left nothing, or what it left was removed."""

    key: str
    outcome: Outcome
    message: str = ""


class ResourceRecorded(NamedTuple):
    """A resource is now as described."""

    address: Address
    parts: Parts
    outputs: Mapping[str, Json]
    protect: bool


class ResourceRemoved(NamedTuple):
    """A resource is gone from the world. Its versions and runs stay."""

    address: Address


class ResourceMoved(NamedTuple):
    """A resource has a new address; versions and runs go with it."""

    old: Address
    new: Address


class Versioned(NamedTuple):
    """A dataset or model has a new version."""

    address: Address
    number: int
    digest: str
    details: Mapping[str, Json]


class RunEnded(NamedTuple):
    """A run was executed. The record's `serial` is set by the fold."""

    record: RunRecord


class Collected(NamedTuple):
    """`gc` removed these artifacts; runs and versions that need one of them can't be restored any more."""

    digests: tuple[str, ...]


class SwitchStopped(NamedTuple):
    """A candidate was kept from the traffic by what it answered. What served before still does."""

    address: Address
    candidate: str  # what names the generation that was asked
    live: str  # what names the one that it was compared with; "" where none was there
    reports: Mapping[str, Json]  # what golden requests came to, by their file


class Moved(NamedTuple):
    """The history goes on in another place; here nothing comes after this, but the end of a lease."""

    place: str  # as a manifest names it


Entry = (
    Created
    | LeaseTaken
    | LeaseReleased
    | IntentOpened
    | IntentClosed
    | ResourceRecorded
    | ResourceRemoved
    | ResourceMoved
    | Versioned
    | RunEnded
    | Collected
    | SwitchStopped
    | Moved
)


class Commit(NamedTuple):
    """One record of the log."""

    serial: int
    time: str  # UTC, ISO 8601
    who: str  # user@host
    revision: str  # git revision of the project, "" where there is none; ends in "+" where the tree is dirty
    command: str  # the mlplan command that wrote it
    entries: tuple[Entry, ...]
