"""The log: what it keeps, and what it refuses to believe."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from workspace_actors import Actor, World

from mlplan.address import Address
from mlplan.errors import Refusal
from mlplan.state.entries import Entry, Versioned
from mlplan.state.records import EMPTY, State
from mlplan.workspace.folder import FolderStore
from mlplan.workspace.lease import WorkspaceLease
from mlplan.workspace.log import Author, WorkspaceLog
from mlplan.workspace.memory import MemoryStore
from mlplan.workspace.store import Store
from mlplan.workspace.witness import Witness

MODEL = Address("model", "m")


def version(number: int) -> Entry:
    return Versioned(MODEL, number, f"{number:064x}", {})


def open_log(store: Store, project: str = "p", every: int = 1000, witness: Witness | None = None) -> WorkspaceLog:
    return WorkspaceLog(
        store,
        author=Author("ann@laptop", lambda: "0123abc"),
        project=project,
        checkpoint_every=every,
        witness=witness,
    )


def write(store: Store, commits: int, every: int = 1000, witness: Witness | None = None) -> State:
    """A log of that many commits, the first one taking the lease."""
    log = open_log(store, every=every, witness=witness)
    state = WorkspaceLease(store, log, project="p").take(command="mlplan apply", heartbeat=False)
    for number in range(2, commits + 1):
        state = log.append(state, [version(number)], command="mlplan apply")
    return state


def refusal(store: Store, project: str = "p", witness: Witness | None = None) -> str:
    with pytest.raises(Refusal) as refused:
        open_log(store, project, witness=witness).read()
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.hint
    return diagnostic.code


def test_an_absent_log_is_an_empty_state() -> None:
    assert open_log(MemoryStore()).read() == EMPTY


def test_what_is_appended_is_read_by_others() -> None:
    store = MemoryStore()
    state = write(store, 7)
    assert open_log(store).read() == state
    assert [v.number for v in state.versions[MODEL]] == [2, 3, 4, 5, 6, 7]


def test_commits_say_who_when_from_where_and_what() -> None:
    store = MemoryStore()
    write(store, 3)
    commits = list(open_log(store).commits())
    assert [commit.serial for commit in commits] == [1, 2, 3]
    assert commits[2][2:] == ("ann@laptop", "0123abc", "mlplan apply", (version(3),))
    assert [commit.serial for commit in open_log(store).commits(since=3)] == [3]


def test_a_reader_reads_on_from_where_it_was() -> None:
    world = World()
    one, two = Actor(world, "one"), Actor(world, "two")
    state = one.lease.take(command="apply", heartbeat=False)
    assert two.log.read().serial == 1
    one.log.append(state, [version(1)], command="apply")
    assert two.log.read().serial == 2


@pytest.mark.parametrize("every", [1, 2, 3, 1000])
def test_a_checkpoint_changes_nothing(every: int) -> None:
    store = MemoryStore()
    state = write(store, 8, every=every)
    assert open_log(store).read() == state
    assert ("checkpoint.json" in store.objects) == (every < 1000)


def test_reading_after_a_checkpoint_asks_little_whatever_the_length_of_the_log() -> None:
    class Counting(MemoryStore):
        def get(self, name: str) -> bytes | None:
            asked.append(name)
            return super().get(name)

        def list_from(self, folder: str, first: str = "") -> Sequence[str]:
            asked.append(folder)
            return super().list_from(folder, first)

    asked: list[str] = []
    store = Counting()
    write(store, 100, every=1)
    asked.clear()
    assert open_log(store).read().serial == 100
    assert asked == ["checkpoint.json", "log", "log/00000000000000000100.json"]


def test_a_damaged_checkpoint_is_left_aside() -> None:
    store = MemoryStore()
    state = write(store, 8, every=2)
    data = store.get("checkpoint.json")
    assert data
    for damaged in (b"", data[:-1], data[:100], b"x" + data[1:]):
        store.replace("checkpoint.json", damaged)
        assert open_log(store).read() == state


def name(serial: int) -> str:
    return f"log/{serial:020d}.json"


@pytest.mark.parametrize("every", [1000, 4])
@pytest.mark.parametrize("serial", [1, 3, 5])
def test_a_missing_commit_is_refused_unless_a_checkpoint_stands_for_it(serial: int, every: int) -> None:
    store = MemoryStore()
    state = write(store, 6, every=every)
    store.delete(name(serial))
    if every == 4 and serial < 4:
        assert open_log(store).read() == state
        with pytest.raises(Refusal, match="MLP4002"):
            list(open_log(store).commits())
    else:
        assert refusal(store) == "MLP4002"


def test_an_end_cut_off_behind_the_checkpoint_is_refused() -> None:
    store = MemoryStore()
    write(store, 6, every=1)
    store.delete(name(6))
    assert refusal(store) == "MLP4002"


def test_a_log_that_is_gone_is_refused_by_its_checkpoint() -> None:
    store = MemoryStore()
    write(store, 6, every=1)
    for serial in range(1, 7):
        store.delete(name(serial))
    assert refusal(store) == "MLP4002"


def witness(folder: Path, place: str = ".mlplan") -> Witness:
    def write_file(path: str, data: bytes) -> None:
        Path(path).write_bytes(data)

    return Witness(str(folder / "seen.json"), place, write_file)


def test_an_end_cut_off_is_noticed_by_who_saw_it(tmp_path: Path) -> None:
    store = MemoryStore()
    write(store, 6, witness=witness(tmp_path))
    assert open_log(store, witness=witness(tmp_path)).read().serial == 6
    store.delete(name(6))
    assert refusal(store, witness=witness(tmp_path)) == "MLP4002"
    assert open_log(store, witness=witness(tmp_path, "another place")).read().serial == 5
    (tmp_path / "seen.json").unlink()
    assert open_log(store, witness=witness(tmp_path)).read().serial == 5


def test_commits_made_while_the_log_is_read_are_no_loss(tmp_path: Path) -> None:
    """Others commit, and note that, between the listing that a reader made and what it checks that against."""

    class ListedBefore(MemoryStore):
        def list_from(self, folder: str, first: str = "") -> Sequence[str]:
            (tmp_path / "seen.json").write_text(noted)
            return [name for name in super().list_from(folder, first) if name != "00000000000000000003.json"]

    written, store = MemoryStore(), ListedBefore()
    write(written, 3, witness=witness(tmp_path))
    store.objects.update(written.objects)
    noted = (tmp_path / "seen.json").read_text()
    (tmp_path / "seen.json").write_text(noted.replace("3]", "2]"))
    assert open_log(store, witness=witness(tmp_path)).read().serial == 2


def test_a_file_far_beyond_the_end_is_a_gap() -> None:
    store = MemoryStore()
    write(store, 3)
    store.create("log/99999999999999999999.json", b"{}")
    assert refusal(store) == "MLP4002"


def test_another_log_in_its_place_is_noticed_by_who_saw_the_first(tmp_path: Path) -> None:
    write(MemoryStore(), 3, witness=witness(tmp_path))
    other = MemoryStore()
    write(other, 5)
    assert refusal(other, witness=witness(tmp_path)) == "MLP4003"


def test_a_memory_that_is_damaged_or_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    store = MemoryStore()
    for text in ("", "[]", "{}", "[1,2,3]", '[".mlplan", "x", "y"]'):
        (tmp_path / "seen.json").write_text(text)
        write(store, 2, witness=witness(tmp_path))
        store = MemoryStore()

    def refuse(path: str, data: bytes) -> None:
        raise OSError(30, "Read-only file system")

    write(store, 2, witness=Witness(str(tmp_path / "none.json"), "", refuse))


@pytest.mark.parametrize("serial", [1, 2, 3])
def test_a_commit_cut_anywhere_is_refused(tmp_path: Path, serial: int) -> None:
    store = FolderStore(str(tmp_path))
    write(store, 3)
    path = tmp_path / name(serial)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert refusal(store) == "MLP4001"
    path.write_bytes(whole)
    assert open_log(store).read().serial == 3


@pytest.mark.parametrize("serial", [1, 2, 3])
def test_one_turned_bit_is_refused(serial: int) -> None:
    store = MemoryStore()
    write(store, 3)
    whole = store.objects[name(serial)][0]
    for place in range(len(whole)):
        turned = bytearray(whole)
        turned[place] ^= 1 << (place % 8)
        store.replace(name(serial), bytes(turned))
        assert refusal(store) == "MLP4001"


@pytest.mark.parametrize("serial", [1, 2, 3, 4])
@pytest.mark.parametrize("every", [1000, 1])
def test_a_commit_of_another_log_is_refused(serial: int, every: int) -> None:
    store, other = MemoryStore(), MemoryStore()
    write(store, 4, every=every)
    write(other, 4)
    store.replace(name(serial), other.objects[name(serial)][0])
    if every == 1000 or serial == 4:
        assert refusal(store) == "MLP4003"
    else:  # behind the checkpoint
        with pytest.raises(Refusal, match="MLP4003"):
            list(open_log(store).commits())


def test_two_commits_exchanged_are_refused() -> None:
    store = MemoryStore()
    write(store, 4)
    two, three = store.objects[name(2)][0], store.objects[name(3)][0]
    store.replace(name(2), three)
    store.replace(name(3), two)
    assert refusal(store) == "MLP4003"


def test_a_newer_commit_is_refused() -> None:
    import hashlib

    store = MemoryStore()
    write(store, 2)
    body = json.loads(store.objects[name(2)][0])["commit"] | {"format": 99}
    spelt = json.dumps(body).encode()
    digest = hashlib.sha256(spelt).hexdigest().encode()
    store.replace(name(2), b'{"sha256":"' + digest + b'","commit":' + spelt + b"}\n")
    assert refusal(store) == "MLP4004"


def test_the_workspace_of_another_project_is_refused() -> None:
    store = MemoryStore()
    write(store, 2)
    assert refusal(store, project="other") == "MLP4005"
    assert open_log(store, project="").read().project == "p"


def test_other_files_in_the_log_are_left_alone() -> None:
    store = MemoryStore()
    state = write(store, 3)
    for other in ("README", "00000000000000000009.json~", "9.json", ".json", "0000000000000000000x.json"):
        store.create(f"log/{other}", b"?")
    assert open_log(store).read() == state


def test_a_listing_that_missed_a_commit_in_the_middle_is_no_gap() -> None:
    class Missing(MemoryStore):
        def list_from(self, folder: str, first: str = "") -> Sequence[str]:
            return [name for name in super().list_from(folder, first) if "3" not in name]

    store = Missing()
    state = write(store, 5)
    assert open_log(store).read() == state


def test_an_answer_that_was_lost_makes_no_second_commit() -> None:
    class SayingTaken(MemoryStore):
        def create(self, name: str, data: bytes) -> bool:
            super().create(name, data)
            return False

    state = write(SayingTaken(), 3)
    assert state.serial == 3
    assert [v.number for v in state.versions[MODEL]] == [2, 3]


def test_nothing_is_recorded_without_the_lease() -> None:
    log = open_log(MemoryStore())
    with pytest.raises(Refusal, match="MLP4103"):
        log.append(log.read(), [version(1)], command="apply")
    assert log.read() == EMPTY


def test_appending_reads_on_while_the_lease_stands() -> None:
    world = World()
    one = Actor(world, "one")
    early = one.lease.take(command="apply", heartbeat=False)
    one.log.append(early, [version(1)], command="apply")
    state = one.log.append(early, [version(2)], command="apply")
    assert [v.number for v in state.versions[MODEL]] == [1, 2]


def test_what_cannot_be_written_is_not_in_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(str(tmp_path))
    log = open_log(store)
    state = WorkspaceLease(store, log, project="p").take(command="apply", heartbeat=False)

    def full(*args: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Refusal, match="MLP4302"):
        log.append(state, [version(1)], command="apply")
    monkeypatch.undo()
    assert log.read() == open_log(store).read() == state
    assert log.append(state, [version(1)], command="apply").serial == 2
