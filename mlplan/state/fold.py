"""Commits become a state. Pure and total: whatever a log holds, folding it gives a state, and always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mlplan.address import Address
from mlplan.state import entries as e
from mlplan.state.lazy import like, raw
from mlplan.state.records import Intent, Lease, Recorded, RunRecord, State, Stopped, Version


def fold(state: State, commits: Iterable[e.Commit]) -> State:
    """The state after these commits, given the one before them. The given state stays as it is."""
    draft = _Draft(state)
    for commit in commits:
        draft.serial = commit.serial
        for entry in commit.entries:
            _EFFECTS[type(entry)](draft, commit, entry)
    return draft.finish()


class _Draft:
    """A state being changed in place: each map is copied once per fold, each tuple of records at most once."""

    def __init__(self, state: State) -> None:
        self._before = state
        self.serial = state.serial
        self.lineage = state.lineage
        self.project = state.project
        self.lease = state.lease
        self.moved = state.moved
        self.resources: dict[Address, Any] = raw(state.resources)
        self.intents: dict[str, Intent] = dict(state.intents)
        self.stopped: dict[Address, Stopped] = dict(state.stopped)
        self._versions: dict[Address, list[Version]] = {}
        self._runs: dict[Address, list[RunRecord]] = {}
        self._gone: set[Address] = set()  # addresses whose versions and runs went elsewhere

    def resource(self, address: Address) -> Recorded | None:
        """What is recorded of an address now."""
        value = self.resources.get(address)
        return self._before.resources[address] if type(value) is bytes else value

    def versions(self, address: Address) -> list[Version]:
        """The versions of an address, to be changed."""
        if address not in self._versions:
            kept = () if address in self._gone else self._before.versions.get(address, ())
            self._versions[address] = list(kept)
        return self._versions[address]

    def runs(self, address: Address) -> list[RunRecord]:
        """The runs of an address, to be changed."""
        if address not in self._runs:
            kept = () if address in self._gone else self._before.runs.get(address, ())
            self._runs[address] = list(kept)
        return self._runs[address]

    def move(self, old: Address, new: Address) -> None:
        """Hands versions and runs on to a new address, in the order of their numbers and serials."""
        self.versions(new).extend(self.versions(old))
        self.versions(new).sort(key=lambda version: version.number)
        self.runs(new).extend(record._replace(address=new) for record in self.runs(old))
        self.runs(new).sort(key=lambda record: record.serial)
        del self._versions[old], self._runs[old]
        self._gone.add(old)

    def collect(self, digests: frozenset[str]) -> None:
        """Notes that these artifacts are gone."""
        for address, versions in self._before.versions.items():
            if any(version.digest in digests for version in versions):
                self.versions(address)
        for address, records in self._before.runs.items():
            if any(record.outputs in digests or record.logs in digests for record in records):
                self.runs(address)
        for mine in self._versions.values():
            mine[:] = [
                v._replace(details={**v.details, "collected": True}) if v.digest in digests else v for v in mine
            ]
        for ran in self._runs.values():
            ran[:] = [
                r._replace(
                    outputs=None if r.outputs in digests else r.outputs,
                    logs=None if r.logs in digests else r.logs,
                )
                for r in ran
            ]

    def finish(self) -> State:
        """The state as it is now."""
        return State(
            self.serial,
            self.lineage,
            self.project,
            like(self._before.resources, self.resources),
            self._with(self._before.versions, self._versions),
            self._with(self._before.runs, self._runs),
            self.intents,
            self.lease,
            self.moved,
            self.stopped,
        )

    def _with(self, before: Mapping[Address, Any], changed: Mapping[Address, list[Any]]) -> Mapping[Address, Any]:
        if not changed and not self._gone:
            return before
        values = raw(before)
        for address in self._gone:
            values.pop(address, None)
        for address, records in changed.items():
            if records:
                values[address] = tuple(records)
        return like(before, values)


def _created(draft: _Draft, commit: e.Commit, entry: e.Created) -> None:
    if not draft.lineage:
        draft.lineage, draft.project = entry.lineage, entry.project


def _lease_taken(draft: _Draft, commit: e.Commit, entry: e.LeaseTaken) -> None:
    draft.lease = Lease(entry.id, entry.holder, commit.serial, commit.time)


def _lease_released(draft: _Draft, commit: e.Commit, entry: e.LeaseReleased) -> None:
    if draft.lease is not None and draft.lease.id == entry.id:
        draft.lease = None


def _intent_opened(draft: _Draft, commit: e.Commit, entry: e.IntentOpened) -> None:
    draft.intents[entry.key] = Intent(*entry, serial=commit.serial)


def _intent_closed(draft: _Draft, commit: e.Commit, entry: e.IntentClosed) -> None:
    draft.intents.pop(entry.key, None)


def _resource_recorded(draft: _Draft, commit: e.Commit, entry: e.ResourceRecorded) -> None:
    draft.resources[entry.address] = Recorded(*entry, serial=commit.serial)
    draft.stopped.pop(entry.address, None)


def _resource_removed(draft: _Draft, commit: e.Commit, entry: e.ResourceRemoved) -> None:
    draft.resources.pop(entry.address, None)
    draft.stopped.pop(entry.address, None)


def _resource_moved(draft: _Draft, commit: e.Commit, entry: e.ResourceMoved) -> None:
    if entry.old == entry.new:
        return
    recorded = draft.resource(entry.old)
    if recorded is not None:
        del draft.resources[entry.old]
        draft.resources[entry.new] = recorded._replace(address=entry.new, serial=commit.serial)
    draft.move(entry.old, entry.new)
    if entry.old in draft.stopped:
        draft.stopped[entry.new] = draft.stopped.pop(entry.old)
    for key, intent in draft.intents.items():
        if intent.address == entry.old:
            draft.intents[key] = intent._replace(address=entry.new)


def _versioned(draft: _Draft, commit: e.Commit, entry: e.Versioned) -> None:
    versions = draft.versions(entry.address)
    last = versions[-1].number if versions else 0
    if entry.number <= last and any(known.number == entry.number for known in versions):
        return  # a version is never altered
    versions.append(Version(entry.number, entry.digest, commit.serial, entry.details))
    if entry.number < last:
        versions.sort(key=lambda known: known.number)


def _run_ended(draft: _Draft, commit: e.Commit, entry: e.RunEnded) -> None:
    draft.runs(entry.record.address).append(entry.record._replace(serial=commit.serial))


def _collected(draft: _Draft, commit: e.Commit, entry: e.Collected) -> None:
    draft.collect(frozenset(entry.digests))


def _switch_stopped(draft: _Draft, commit: e.Commit, entry: e.SwitchStopped) -> None:
    draft.stopped[entry.address] = Stopped(entry.candidate, entry.live, entry.reports, commit.serial)


def _moved(draft: _Draft, commit: e.Commit, entry: e.Moved) -> None:
    draft.moved = entry.place


_EFFECTS: Mapping[type[Any], Callable[[_Draft, e.Commit, Any], None]] = {
    e.Created: _created,
    e.LeaseTaken: _lease_taken,
    e.LeaseReleased: _lease_released,
    e.IntentOpened: _intent_opened,
    e.IntentClosed: _intent_closed,
    e.ResourceRecorded: _resource_recorded,
    e.ResourceRemoved: _resource_removed,
    e.ResourceMoved: _resource_moved,
    e.Versioned: _versioned,
    e.RunEnded: _run_ended,
    e.Collected: _collected,
    e.SwitchStopped: _switch_stopped,
    e.Moved: _moved,
}
