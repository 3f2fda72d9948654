"""Model check of log and lease: several actors, a store whose messages get lost, late and doubled, crashes anywhere.

Whatever happens: no two actors act under the lease at a time, no commit that was answered is lost, none is written
twice, serials are dense, and everybody folds the log to the same state.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from workspace_actors import Actor, World

from mlplan.address import Address
from mlplan.errors import Refusal
from mlplan.state.entries import LeaseReleased, LeaseTaken, Versioned
from mlplan.state.fold import fold
from mlplan.state.records import EMPTY, State
from mlplan.workspace.log import Author, WorkspaceLog
from mlplan.workspace.memory import Fate, FaultyStore

from .conftest import Tally

NAMES = ("ann", "bob", "carol")
MODEL = Address("model", "m")
EXAMPLES, STEPS = 1000, 40
FATES: tuple[Fate, ...] = ("ok", "ok", "ok", "ok", "lost", "unanswered", "twice", "late")


class Crash(BaseException):
    """The process ends here, in the middle of whatever it does."""


class Workspace(RuleBasedStateMachine):
    """Actors by name; those that crashed are replaced by new ones."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.lives = 0
        self.fates: list[Fate] = []  # of the next messages; then all is well
        self.crash_in: int | None = None  # messages until the sender ends
        self.answered: set[int] = set()  # numbers whose commit was acknowledged
        self.tried = 0
        self.actors: dict[str, Actor] = {}
        self.links: dict[str, FaultyStore] = {}
        self.states: dict[str, State] = {}

    @initialize()
    def begin(self) -> None:
        for name in NAMES:
            self._live(name)

    def _live(self, name: str) -> None:
        self.lives += 1
        self.links[name] = FaultyStore(self.world.store, self._fate)
        self.actors[name] = Actor(self.world, f"{name}-{self.lives}", self.links[name])
        self.states.pop(name, None)

    def _fate(self, method: str, name: str) -> Fate:
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                self.crash_in = None
                raise Crash
        return self.fates.pop() if self.fates else "ok"

    def _try(self, name: str, act: str, number: int = 0) -> None:
        actor = self.actors[name]
        try:
            if act == "take":
                self.states[name] = actor.lease.take(command=actor.name, heartbeat=False)
            elif act == "release":
                actor.lease.release()
                self.states.pop(name, None)
            elif act == "beat":
                actor.lease.beat()
            elif act == "append":
                entry = Versioned(MODEL, number, actor.log.holding, {})
                self.states[name] = actor.log.append(self.states[name], [entry], command=actor.name)
                self.answered.add(number)
            else:
                holder = actor.lease.holder()
                if holder is not None:
                    actor.lease.break_(holder, command="unlock")
        except Refusal:
            if act == "release":
                self.states.pop(name, None)
        except Crash:
            self.world.gone.add(actor.name)
            self._live(name)
        self.crash_in = None
        self.fates.clear()

    @rule(
        name=st.sampled_from(NAMES),
        act=st.sampled_from(("take", "take", "release", "beat", "unlock")),
        fates=st.lists(st.sampled_from(FATES), max_size=8),
        crash_in=st.none() | st.integers(0, 12),
    )
    def act(self, name: str, act: str, fates: list[Fate], crash_in: int | None) -> None:
        if act == "take" and self.actors[name].log.holding:
            return
        self.fates, self.crash_in = fates, crash_in
        self._try(name, act)

    @precondition(lambda self: self.states)
    @rule(
        data=st.data(),
        fates=st.lists(st.sampled_from(FATES), max_size=8),
        crash_in=st.none() | st.integers(0, 8),
    )
    def append(self, data: st.DataObject, fates: list[Fate], crash_in: int | None) -> None:
        name = data.draw(st.sampled_from(sorted(self.states)))
        self.tried += 1
        self.fates, self.crash_in = fates, crash_in
        self._try(name, "append", self.tried)

    @rule(seconds=st.sampled_from((1, 10, 40)))
    def time_passes(self, seconds: int) -> None:
        self.world.store.now += seconds

    @rule(name=st.sampled_from(NAMES))
    def late_messages_arrive(self, name: str) -> None:
        self.links[name].deliver()

    @rule(name=st.sampled_from(NAMES))
    def an_actor_is_known_to_be_gone(self, name: str) -> None:
        self.world.gone.add(self.actors[name].name)
        self._live(name)

    @invariant()
    def the_log_is_whole(self) -> None:
        reader = WorkspaceLog(self.world.store, author=Author("", lambda: ""))
        commits = list(reader.commits())
        assert [commit.serial for commit in commits] == list(range(1, len(commits) + 1))
        assert reader.read() == fold(EMPTY, commits)

        holding = ""
        written: list[int] = []
        for commit in commits:
            for entry in commit.entries:
                if isinstance(entry, LeaseTaken):
                    holding = entry.id
                elif isinstance(entry, LeaseReleased) and entry.id == holding:
                    holding = ""
                elif isinstance(entry, Versioned):
                    assert entry.digest == holding, "one acted without the lease"
                    written.append(entry.number)
        assert len(written) == len(set(written)), "a commit was written twice"
        assert self.answered <= set(written), "a commit was lost"


@pytest.mark.parametrize("part", range(2))
def test_log_and_lease_keep_their_laws_whatever_happens(part: int, tally: Tally) -> None:
    checked = count()

    class Counted(Workspace):
        def check_invariants(self, *arguments: Any, **named: Any) -> None:
            next(checked)
            super().check_invariants(*arguments, **named)

    run_state_machine_as_test(
        Counted,
        settings=settings(
            max_examples=EXAMPLES // 2,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    steps = next(checked)
    tally("a step of the model of log and lease", steps, steps)
