"""What every store promises, asked of each."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mlplan.codes import Code
from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.workspace.folder import FolderStore
from mlplan.workspace.memory import MemoryStore
from mlplan.workspace.store import Store

STORES: dict[str, Callable[[Path], Store]] = {
    "folder": lambda path: FolderStore(str(path / "workspace")),
    "memory": lambda path: MemoryStore(),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return STORES[request.param](tmp_path)


def test_nothing_is_there_at_first(store: Store) -> None:
    assert store.get("log/1") is None
    assert store.head("log/1") is None
    assert list(store.list_from("log")) == []
    store.delete("log/1")


def test_the_first_to_create_wins(store: Store) -> None:
    assert store.create("log/1", b"one")
    assert not store.create("log/1", b"two")
    assert store.get("log/1") == b"one"


def test_of_many_at_once_one_creates(store: Store) -> None:
    start = threading.Barrier(8)
    won: list[int] = []

    def race(number: int) -> None:
        start.wait()
        if store.create("log/1", b"%d" % number * 1000):
            won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.get("log/1") == b"%d" % won[0] * 1000


def test_what_is_replaced_is_read_whole(store: Store) -> None:
    store.replace("checkpoint.json", b"a" * 100_000)
    stop = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not stop.is_set():
            data = store.get("checkpoint.json")
            seen.add(b"missing" if data is None else data[:1] + b"%d" % len(set(data)))

    reader = threading.Thread(target=read)
    reader.start()
    for letter in b"bcdefgh" * 10:
        store.replace("checkpoint.json", bytes([letter]) * 100_000)
    stop.set()
    reader.join()
    assert {item[1:] for item in seen} == {b"1"}


def test_a_folder_is_listed_in_order_from_a_name_on(store: Store) -> None:
    for name in ("03", "01", "10", "02"):
        store.create(f"log/{name}", b"")
    store.create("lease/04", b"")
    store.create("top", b"")
    assert list(store.list_from("log")) == ["01", "02", "03", "10"]
    assert list(store.list_from("log", "02")) == ["02", "03", "10"]
    assert list(store.list_from("log", "025")) == ["03", "10"]
    assert list(store.list_from("log", "11")) == []


def test_head_tells_size_and_age(store: Store) -> None:
    store.replace("lease/1", b"12345")
    found = store.head("lease/1")
    assert found is not None
    assert found.size == 5
    assert -1 < found.age_s < 60


def test_what_is_deleted_is_gone_and_its_name_free(store: Store) -> None:
    store.create("log/1", b"one")
    store.delete("log/1")
    store.delete("log/1")
    assert store.get("log/1") is None
    assert store.create("log/1", b"two")


def test_an_age_is_told_by_the_clock_of_the_store(tmp_path: Path) -> None:
    store = FolderStore(str(tmp_path))
    store.replace("lease/1", b"")
    now = os.stat(tmp_path / "lease" / "1").st_mtime
    os.utime(tmp_path / "lease" / "1", (now - 3600, now - 3600))
    found = store.head("lease/1")
    assert found is not None
    assert 3599 < found.age_s < 3660


def test_reading_a_folder_makes_nothing(tmp_path: Path) -> None:
    store = FolderStore(str(tmp_path / "workspace"))
    store.get("log/1")
    store.list_from("log")
    store.head("log/1")
    store.delete("log/1")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_mlplan_makes_is_left_alone_by_git(tmp_path: Path) -> None:
    FolderStore(str(tmp_path / "workspace")).create("log/1", b"")
    assert (tmp_path / "workspace" / ".gitignore").read_text() == "*\n"


def test_nothing_is_left_aside(tmp_path: Path) -> None:
    store = FolderStore(str(tmp_path))
    store.create("log/1", b"")
    store.create("log/1", b"")
    store.replace("log/1", b"")
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("failing", "number", "code"),
    [
        ("fsync", 28, codes.MLP4302),  # no space left
        ("fsync", 5, codes.MLP4304),  # an error of the disk
        ("link", 30, codes.MLP4301),  # mounted read-only
        ("link", 13, codes.MLP4301),  # permission denied
        ("link", 95, codes.MLP4303),  # no hard links
        ("write", 28, codes.MLP4302),
    ],
)
def test_what_the_system_refuses_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, number: int, code: Code
) -> None:
    store = FolderStore(str(tmp_path))
    store.create("log/1", b"before")

    def fail(*args: object, **options: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(Refusal) as refused:
        store.create("log/2", b"data")
    monkeypatch.undo()
    assert refused.value.diagnostics[0].code == code.code
    assert list(store.list_from("log")) == ["1"]
    assert list((tmp_path / "tmp").iterdir()) == []
    assert store.create("log/2", b"data")
