"""What a kind offers: to the plan, its facts, parts, drift and yields; to the apply, its effects.

A kind is a folder with two modules, so that a plan doesn't load what only an apply needs:

    desired.py   read -> facts (the only part that opens files, the user's ones, and only reads them)
                 desired: facts + what others yield -> parts (pure)
                 drift: what is recorded against what is observed
                 yields: what is known beforehand of what the change will hand on
    effects.py   perform, remove: the steps of the actions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mlplan.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Event

    from mlplan.events import Emit
    from mlplan.json_types import Json
    from mlplan.lock.types import EnvironmentRequest, Lock, LockedEnvironment, LockedUrl
    from mlplan.manifest.resolved import Manifest, Resource
    from mlplan.plan.changes import Change
    from mlplan.plan.decide import Desired
    from mlplan.plan.make import Lookup
    from mlplan.state.entries import Entry
    from mlplan.state.records import Recorded, State
    from mlplan.targets.protocols import Target
    from mlplan.workspace.protocols import Artifacts, Files
    from mlplan.world import Drift


class OpenTarget(Protocol):
    """Opens the target of a compute, once each."""

    def __call__(self, compute: str, kind: str = "") -> Target:
        """By the compute's name; as it was while it had the type `kind`, for what went there then."""


class Reading(NamedTuple):
    """What a kind may read while planning."""

    manifest: Manifest
    lock: Lock
    files: Files
    artifacts: Artifacts
    state: State
    target: OpenTarget
    secret: Callable[[str], str | None]  # the keyed digest of a secret, or None where it isn't at hand
    here: Mapping[str, Json] = {}  # this checkout: `kinds/elsewhere.py`


class Effects(NamedTuple):
    """What a kind may use to bring a change about. Safe to use from several threads."""

    reading: Reading
    home: str  # the project's local folder, absolute
    revision: str  # the project's git revision, "" without git
    checkout: Mapping[str, Json]  # where effects begin, as it is recorded with them: `kinds/elsewhere.py`
    emit: Emit
    state: Callable[[], State]  # as it is now
    commit: Callable[[tuple[Entry, ...]], State]  # appends to the log; raises Refusal where the lease is lost
    lock_environment: Callable[[EnvironmentRequest], LockedEnvironment]  # resolved once, kept in mlplan.lock
    lock_urls: Callable[[tuple[LockedUrl, ...]], None]  # seen for the first time; kept in mlplan.lock
    secret_value: Callable[[str], str]  # raises Refusal where it isn't at hand
    known: Lookup  # what others yield now
    stop: Event  # set when nothing more is to be begun: the user asked for that, or the lease is lost
    ensure: Callable[[], None]  # for right before an effect: raises Refusal where this apply may have none any more


class Attempt(NamedTuple):
    """Which try at which change this is: what its effect is known by in the world."""

    key: str  # idempotency key, derived from project, address, fingerprint and number
    number: int  # from 1
    fingerprint: str


class Unfinished(Refusal):
    """An effect was made, and what it came to could not be recorded yet: the next apply does that. Its intent stays
    open."""


class Performed(NamedTuple):
    """What a change came to. The executor commits it together with the end of the intent."""

    outputs: Mapping[str, Json]
    entries: tuple[Entry, ...] = ()  # to be committed with it: a version, a run


class Kind(Protocol):
    """The planning side of a kind; `mlplan.kinds.<kind>.desired` is one."""

    def read(self, resource: Resource, reading: Reading) -> Any:
        """Facts about a resource that don't depend on others."""

    def desired(self, resource: Resource, facts: Any, lookup: Lookup, state: State) -> Desired:
        """What it should be. Pure."""

    def drift(self, recorded: Recorded, reading: Reading) -> tuple[Drift, ...]:
        """How the world differs from what is recorded. Only reads."""

    def yields(self, change: Change, facts: Any, state: State) -> Mapping[str, Json] | None:
        """What the change will hand on, where that is known beforehand. Pure."""

    def loss(self, recorded: Recorded, state: State) -> str:
        """What a deletion loses, in one sentence. Pure."""


class Performer(Protocol):
    """The applying side of a kind; `mlplan.kinds.<kind>.effects` is one."""

    def prepare(self, resource: Resource, facts: Any, effects: Effects) -> Any:
        """The facts with what a plan could not know: packages resolved, URLs fetched. Harmless, so no intent yet."""

    def perform(
        self, resource: Resource, facts: Any, change: Change, attempt: Attempt, effects: Effects
    ) -> Performed:
        """Brings a create, register, run, restore, update or replace about. Raises: Refusal."""

    def remove(self, recorded: Recorded, effects: Effects) -> None:
        """Removes the resource from the world; fine where it is gone already."""
