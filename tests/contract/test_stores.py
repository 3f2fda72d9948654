"""What every store promises, asked of each: a folder, memory, buckets behind servers of the real protocols, and one
that is encrypted."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from object_stores import azure, azure_server, google, s3, s3_server

from mlplan.workspace.bucket import open_bucket
from mlplan.workspace.folder import FolderStore
from mlplan.workspace.memory import MemoryStore
from mlplan.workspace.sealed import SealedStore
from mlplan.workspace.store import ContentStore, Store

__all__ = ["azure", "azure_server", "google", "s3", "s3_server"]


BUCKETS = [pytest.param(name, marks=pytest.mark.buckets) for name in ("s3", "azure", "google", "encrypted")]


@pytest.fixture(params=["folder", "memory", *BUCKETS])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else open_shelf(request, tmp_path)


@pytest.fixture(params=["folder", *BUCKETS])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> ContentStore:
    """A store that holds artifacts, too."""
    return open_shelf(request, tmp_path)


def open_shelf(request: pytest.FixtureRequest, tmp_path: Path) -> ContentStore:
    """The store that a fixture's parameter names."""
    if request.param == "folder":
        return FolderStore(str(tmp_path / "workspace"))
    if request.param == "encrypted":
        return SealedStore(open_bucket(request.getfixturevalue("s3")), b"k" * 32)
    return open_bucket(request.getfixturevalue(request.param))


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
    assert -2 < found.age_s < 60


def test_files_of_any_size_are_kept(shelf: ContentStore, tmp_path: Path) -> None:
    got = bytearray()
    (tmp_path / "large").write_bytes(bytes(range(256)) * 70_000)
    shelf.upload("artifacts/ab/large", str(tmp_path / "large"))
    shelf.create("artifacts/c", b"")
    assert shelf.has("artifacts/ab/large", 17_920_000)
    assert shelf.has("artifacts/c", 0)
    assert not shelf.has("artifacts/ab/large", 17_919_999)
    assert not shelf.has("artifacts/none", 0)
    assert not shelf.has("artifacts/none", 17_920_000)
    assert dict(shelf.sizes("artifacts")) == {"ab/large": 17_920_000, "c": 0}
    assert dict(shelf.sizes("none")) == {}
    assert shelf.download("artifacts/ab/large", got.extend)
    assert bytes(got) == bytes(range(256)) * 70_000
    assert not shelf.download("artifacts/none", got.extend)


def test_an_upload_replaces_what_was_there(shelf: ContentStore, tmp_path: Path) -> None:
    got = bytearray()
    for text in ("old", "new"):
        (tmp_path / "file").write_text(text)
        shelf.upload("artifacts/ab/c", str(tmp_path / "file"))
    assert shelf.download("artifacts/ab/c", got.extend)
    assert bytes(got) == b"new"


def test_many_are_read_at_once(store: Store) -> None:
    for name in ("1", "2", "3"):
        store.create(f"log/{name}", name.encode())
    assert list(store.get_many(["log/3", "log/none", "log/1"])) == [b"3", None, b"1"]
    assert list(store.get_many([])) == []


def test_what_is_deleted_is_gone_and_its_name_free(store: Store) -> None:
    store.create("log/1", b"one")
    store.delete("log/1")
    store.delete("log/1")
    assert store.get("log/1") is None
    assert store.create("log/1", b"two")
