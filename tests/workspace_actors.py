"""Processes that share a workspace, played in one: each has a log and a lease of its own over one store."""

from __future__ import annotations

from collections.abc import Mapping

from mlplan.json_types import Json
from mlplan.workspace.lease import Clock, Pace, WorkspaceLease
from mlplan.workspace.log import Author, WorkspaceLog
from mlplan.workspace.memory import MemoryStore
from mlplan.workspace.store import Store

PACE = Pace(beat_s=3, expiry_s=30, poll_s=1)


class World:
    """A store and its clock, and who is known to be gone."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.gone: set[str] = set()

    def sleep(self, seconds: float) -> None:
        self.store.now += seconds

    def running(self, holder: Mapping[str, Json]) -> bool | None:
        return False if holder["who"] in self.gone else None


class Actor:
    """One process."""

    def __init__(self, world: World, name: str, store: Store | None = None) -> None:
        self.name = name
        self.store = store or world.store
        self.log = WorkspaceLog(
            self.store,
            author=Author(name, lambda: ""),
            project="p",
            checkpoint_every=5,
            now=lambda: "2026-03-01T12:00:00Z",
        )
        self.lease = WorkspaceLease(
            self.store,
            self.log,
            project="p",
            pace=PACE,
            clock=Clock(lambda: world.store.now, world.sleep),
            identity=lambda command: {"who": name, "pid": 1, "command": command},
            running=world.running,
        )
