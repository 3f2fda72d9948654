"""The lease: one holder, and what becomes of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from workspace_actors import Actor, World

from mlplan.address import Address
from mlplan.errors import ExitCode, Refusal
from mlplan.state.entries import Versioned
from mlplan.state.records import State
from mlplan.workspace.folder import FolderStore
from mlplan.workspace.lease import WorkspaceLease
from mlplan.workspace.log import Author, WorkspaceLog
from mlplan.workspace.memory import Fate, FaultyStore
from mlplan.workspace.process import is_running, this_process

ENTRY = Versioned(Address("model", "m"), 1, "d", {})


@pytest.fixture
def world() -> World:
    return World()


def take(actor: Actor, wait_s: float = 0.0) -> State:
    return actor.lease.take(command="mlplan apply", wait_s=wait_s, heartbeat=False)


def test_taking_it_begins_the_workspace(world: World) -> None:
    state = take(Actor(world, "ann"))
    assert (state.serial, state.project, len(state.lineage)) == (1, "p", 32)
    assert state.lease is not None
    assert state.lease.holder == {"who": "ann", "pid": 1, "command": "mlplan apply"}


def test_another_is_told_who_holds_it(world: World) -> None:
    take(Actor(world, "ann@laptop"))
    world.store.now += 5
    with pytest.raises(Refusal) as refused:
        take(Actor(world, "bob"))
    assert refused.value.exit_code is ExitCode.BUSY
    (busy,) = refused.value.diagnostics
    assert busy.code == "MLP4101"
    assert busy.detail == (
        "ann@laptop, pid 1, `mlplan apply`, since 2026-03-01T12:00:00Z holds the workspace, and showed life 5 s ago. "
        "From here it can't be told whether it still runs."
    )


def test_given_back_it_can_be_taken(world: World) -> None:
    ann, bob = Actor(world, "ann"), Actor(world, "bob")
    take(ann)
    ann.lease.release()
    ann.lease.release()
    assert take(bob).serial == 3
    assert [name for name in world.store.objects if name.startswith("lease/")] == [f"lease/{bob.log.holding}.json"]


def test_one_who_waits_gets_it(world: World) -> None:
    ann, bob = Actor(world, "ann"), Actor(world, "bob")
    take(ann)
    told: list[str] = []

    def sleep(seconds: float) -> None:
        world.store.now += seconds
        if world.store.now >= 7:
            ann.lease.release()
        else:
            ann.lease.beat()

    bob.lease._clock = bob.lease._clock._replace(sleep=sleep)
    bob.lease.take(
        command="apply", wait_s=60, on_wait=lambda holder: told.append(holder.description), heartbeat=False
    )
    assert told == ["ann, pid 1, `mlplan apply`, since 2026-03-01T12:00:00Z"]
    assert world.store.now == 7


def test_one_who_waits_in_vain_is_told_at_the_end(world: World) -> None:
    ann, bob = Actor(world, "ann"), Actor(world, "bob")
    take(ann)

    def sleep(seconds: float) -> None:
        world.store.now += seconds
        ann.lease.beat()

    bob.lease._clock = bob.lease._clock._replace(sleep=sleep)
    with pytest.raises(Refusal, match="MLP4101"):
        take(bob, wait_s=60)
    assert world.store.now == 60


def test_a_holder_known_to_be_gone_is_followed_at_once(world: World) -> None:
    take(Actor(world, "ann"))
    world.gone.add("ann")
    take(Actor(world, "bob"))
    assert world.store.now == 0


def test_a_silent_holder_is_followed_after_its_time_and_a_last_look(world: World) -> None:
    take(Actor(world, "ann"))
    world.store.now = 29
    with pytest.raises(Refusal, match="MLP4101"):
        take(Actor(world, "bob"))
    world.store.now = 31
    take(Actor(world, "carol"))
    assert world.store.now == 37


def test_a_clock_that_jumps_ahead_takes_no_lease_from_one_who_lives(world: World) -> None:
    ann, bob = Actor(world, "ann"), Actor(world, "bob")
    take(ann)
    world.store.now += 86400

    def sleep(seconds: float) -> None:
        world.store.now += seconds
        ann.lease.beat()

    bob.lease._clock = bob.lease._clock._replace(sleep=sleep)
    with pytest.raises(Refusal, match="MLP4101"):
        take(bob)


def test_a_clock_set_back_keeps_no_lease_for_one_who_is_gone(world: World) -> None:
    take(Actor(world, "ann"))
    steady = [0.0]
    world.store.now -= 86400

    def sleep(seconds: float) -> None:
        steady[0] += seconds

    bob = Actor(world, "bob")
    bob.lease._clock = bob.lease._clock._replace(now=lambda: steady[0], sleep=sleep)
    take(bob, wait_s=60)
    assert steady[0] == 31


def test_what_an_old_holder_does_is_refused_and_says_who_took_over(world: World) -> None:
    ann, bob = Actor(world, "ann"), Actor(world, "bob")
    old = take(ann)
    world.gone.add("ann")
    take(bob)
    with pytest.raises(Refusal, match=r"MLP4102: .* it was taken over by bob in commit 2"):
        ann.log.append(old, [ENTRY], command="apply")
    assert bob.log.read().serial == 2
    ann.lease.release()
    assert bob.log.read().lease is not None


def test_a_broken_lease_is_lost(world: World) -> None:
    ann, bob = Actor(world, "ann"), Actor(world, "bob")
    state = take(ann)
    holder = bob.lease.holder()
    assert holder is not None
    assert (holder.id, holder.alive) == (ann.log.holding, None)
    assert bob.lease.break_(holder, command="mlplan unlock")
    assert not bob.lease.break_(holder, command="mlplan unlock")
    with pytest.raises(Refusal, match="or `mlplan unlock` broke it"):
        ann.log.append(state, [ENTRY], command="apply")
    assert bob.lease.holder() is None


def test_breaking_ends_only_the_lease_that_was_seen(world: World) -> None:
    ann, bob = Actor(world, "ann"), Actor(world, "bob")
    take(ann)
    seen = bob.lease.holder()
    assert seen is not None
    ann.lease.release()
    take(ann)
    assert not bob.lease.break_(seen, command="mlplan unlock")
    assert bob.lease.holder() is not None


def test_a_holder_cut_off_stops_before_its_lease_can_be_taken(world: World) -> None:
    reachable: list[Fate] = ["ok"]
    ann = Actor(world, "ann", FaultyStore(world.store, lambda method, name: reachable[0]))
    told: list[float] = []
    ann.lease.take(command="apply", on_lost=lambda: told.append(world.store.now), heartbeat=False)
    reachable[0] = "lost"
    while world.store.now < 60:
        world.store.now += 3
        ann.lease.beat()
    assert told == [18]
    with pytest.raises(Refusal, match="MLP4304"):
        ann.lease.ensure()


def test_a_workspace_that_can_no_longer_be_written_hides_no_other_error(world: World) -> None:
    reachable: list[Fate] = ["ok"]
    ann = Actor(world, "ann", FaultyStore(world.store, lambda method, name: reachable[0]))
    ann.lease.take(command="apply", heartbeat=False)
    reachable[0] = "lost"
    ann.lease.release()
    assert ann.log.holding == ""
    world.store.now += 31
    take(Actor(world, "bob"))


def test_a_holder_that_slept_asks_before_it_goes_on(world: World) -> None:
    ann, bob = Actor(world, "ann"), Actor(world, "bob")
    told: list[str] = []
    ann.lease.take(command="apply", on_lost=lambda: told.append("lost"), heartbeat=False)
    world.store.now = 1000
    ann.lease.beat()
    ann.lease.ensure()
    world.store.now = 2000
    take(bob)
    ann.lease.beat()
    assert told == ["lost"]
    with pytest.raises(Refusal, match="MLP4102"):
        ann.lease.ensure()


def test_the_thread_shows_life_until_the_lease_is_given_back(tmp_path: Path) -> None:
    class Counting(FolderStore):
        def replace(self, name: str, data: bytes) -> None:
            super().replace(name, data)
            beats.release()

    beats = threading.Semaphore(0)
    store = Counting(str(tmp_path))
    log = WorkspaceLog(store, author=Author("ann", lambda: ""))
    lease = WorkspaceLease(store, log, project="p")
    lease._pace = lease._pace._replace(beat_s=0.001)
    lease.take(command="apply")
    for _ in range(3):
        assert beats.acquire(timeout=30)
    lease.release()
    assert [thread.name for thread in threading.enumerate() if thread.name == "mlplan-lease"] == []
    assert os.listdir(tmp_path / "lease") == []


def test_a_store_that_does_not_answer_holds_nobody_up(tmp_path: Path) -> None:
    class Stuck(FolderStore):
        def replace(self, name: str, data: bytes) -> None:
            if stuck.is_set():
                silent.wait(60)
            else:
                super().replace(name, data)

    stuck, silent, lost = threading.Event(), threading.Event(), threading.Event()
    store = Stuck(str(tmp_path))
    log = WorkspaceLog(store, author=Author("ann", lambda: ""))
    lease = WorkspaceLease(store, log, project="p")
    lease._pace = lease._pace._replace(beat_s=0.01, expiry_s=0.1)
    state = lease.take(command="apply", on_lost=lost.set)
    stuck.set()
    assert lost.wait(30)
    with pytest.raises(Refusal, match=r"MLP4102: .* wasn't reached"):
        lease.ensure()
    for _ in range(2):  # also where the store would take it
        with pytest.raises(Refusal, match=r"MLP4102: .* wasn't reached"):
            log.append(state, [ENTRY], command="apply")
        lease.release()
    assert log.holding == ""
    assert log.read().serial == 1
    silent.set()


def test_of_many_that_start_together_one_works_at_a_time(tmp_path: Path) -> None:
    inside = threading.Lock()
    order: list[str] = []

    def work(name: str) -> None:
        store = FolderStore(str(tmp_path))
        log = WorkspaceLog(store, author=Author(name, lambda: ""))
        lease = WorkspaceLease(store, log, project="p")
        lease._pace = lease._pace._replace(poll_s=0.005)
        with lease.held(command="apply", wait_s=60) as state:
            assert inside.acquire(blocking=False)
            log.append(state, [ENTRY._replace(number=state.serial)], command="apply")
            order.append(name)
            inside.release()

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(order) == [str(number) for number in range(8)]
    log = WorkspaceLog(FolderStore(str(tmp_path)), author=Author("", lambda: ""))
    assert log.read().serial == 24
    assert [commit.who for commit in log.commits() if ENTRY.__class__ in map(type, commit.entries)] == order


def test_this_process_runs_and_another_start_of_its_number_does_not() -> None:
    me = this_process("mlplan apply")
    assert is_running(me) is True
    assert is_running({**me, "started": "1"}) is False
    assert is_running({**me, "boot": "another"}) is False
    assert is_running({**me, "host": "elsewhere"}) is None
    assert is_running({**me, "pids": "pid:[1]"}) is None
    assert is_running({}) is None


def test_an_ended_process_does_not_run() -> None:
    code = "import json; from mlplan.workspace.process import this_process; print(json.dumps(this_process('x')))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    import json

    assert is_running(json.loads(process.stdout)) is False
