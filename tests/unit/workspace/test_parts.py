"""Files in parts, over a bucket in memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlplan.errors import Refusal
from mlplan.workspace import parts
from mlplan.workspace.parallel import in_parallel
from mlplan.workspace.parts import download, file_of, has, sizes, upload

MIB = 1 << 20
NAME = f"artifacts/ab/{'c' * 62}"
LARGE = bytes(range(256)) * (9 * MIB // 256) + b"end"


class Bucket:
    """`parts.Objects` in memory; `written` lists what was written, and `refused` what can't be."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.written: list[str] = []
        self.refused = ""

    def read(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def replace(self, name: str, data: bytes) -> None:
        if self.refused and name.endswith(self.refused):
            raise Refusal([])
        self.kept[name] = data
        self.written.append(name)

    def object_size(self, name: str) -> int | None:
        return len(self.kept[name]) if name in self.kept else None

    def objects(self, folder: str) -> Mapping[str, int]:
        start = f"{folder}/"
        return {name.removeprefix(start): len(data) for name, data in self.kept.items() if name.startswith(start)}


@pytest.fixture(autouse=True)
def smaller_files_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "LARGE", 5 * MIB)


def sent(bucket: Bucket, tmp_path: Path, content: bytes) -> list[int]:
    """What `upload` told while it wrote this content."""
    told: list[int] = []
    (tmp_path / "file").write_bytes(content)
    upload(bucket, NAME, str(tmp_path / "file"), told.append)
    return told


def got(bucket: Bucket, start: int = 0) -> bytes | None:
    pieces: list[bytes] = []
    return b"".join(pieces) if download(bucket, NAME, pieces.append, start) else None


@pytest.mark.parametrize(
    ("size", "objects"),
    [
        (0, {NAME: 0}),
        (1, {NAME: 1}),
        (5 * MIB, {NAME: 5 * MIB}),
        (5 * MIB + 1, {f"{NAME}/1-of-2": 4 * MIB, f"{NAME}/2-of-2": MIB + 1}),
        (8 * MIB, {f"{NAME}/1-of-2": 4 * MIB, f"{NAME}/2-of-2": 4 * MIB}),
        (9 * MIB, {f"{NAME}/1-of-3": 4 * MIB, f"{NAME}/2-of-3": 4 * MIB, f"{NAME}/3-of-3": MIB}),
    ],
)
def test_a_file_is_one_object_or_parts(tmp_path: Path, size: int, objects: dict[str, int]) -> None:
    bucket, content = Bucket(), os.urandom(size)
    assert sum(sent(bucket, tmp_path, content)) == size
    assert {name: len(data) for name, data in bucket.kept.items()} == objects
    assert sizes(bucket.objects("artifacts")) == {NAME.removeprefix("artifacts/"): size}
    assert has(bucket, NAME, size)
    assert not has(bucket, NAME, size + 1)
    assert got(bucket) == content


@pytest.mark.parametrize("missing", ["1-of-3", "2-of-3", "3-of-3"])
def test_what_is_not_whole_is_not_there(tmp_path: Path, missing: str) -> None:
    bucket = Bucket()
    bucket.refused = missing
    with pytest.raises(Refusal):
        sent(bucket, tmp_path, LARGE)
    assert not has(bucket, NAME, len(LARGE))
    assert sizes(bucket.objects("artifacts")) == {}
    assert got(bucket) is None


def test_an_upload_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    bucket = Bucket()
    sent(bucket, tmp_path, LARGE)
    del bucket.kept[f"{NAME}/2-of-3"]
    bucket.kept[f"{NAME}/3-of-3"] = b"of another size"
    bucket.written.clear()
    assert sum(sent(bucket, tmp_path, LARGE)) == 9 * MIB + 3
    assert sorted(bucket.written) == [f"{NAME}/2-of-3", f"{NAME}/3-of-3"]
    assert got(bucket) == LARGE


@pytest.mark.parametrize("start", [0, 1, 4 * MIB - 1, 4 * MIB, 9 * MIB, 9 * MIB + 3])
def test_a_download_begins_where_it_is_told_to(tmp_path: Path, start: int) -> None:
    bucket = Bucket()
    sent(bucket, tmp_path, LARGE)
    assert got(bucket, start) == LARGE[start:]


def test_more_parts_than_are_fetched_at_once_come_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "LARGE", 10)
    monkeypatch.setattr(parts, "PART", 10)
    bucket = Bucket()
    sent(bucket, tmp_path, bytes(range(250)) * 3)
    assert len(bucket.kept) == 75
    assert got(bucket) == bytes(range(250)) * 3


def test_parts_that_another_version_cut_otherwise_are_left_alone(tmp_path: Path) -> None:
    bucket = Bucket()
    bucket.kept[f"{NAME}/1-of-2"] = LARGE[: 8 * MIB]
    sent(bucket, tmp_path, LARGE)
    assert got(bucket) == LARGE
    assert sizes(bucket.objects("artifacts")) == {NAME.removeprefix("artifacts/"): 9 * MIB + 3}


def test_a_name_that_promises_too_much_costs_nothing() -> None:
    bucket = Bucket()
    bucket.kept[f"{NAME}/1-of-{10**15}"] = b"x"
    assert got(bucket) is None
    assert sizes(bucket.objects("artifacts")) == {}


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(Refusal, match="MLP4304"):
        upload(Bucket(), NAME, str(tmp_path / "file"))


def test_there_is_room_for_all_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_work, most = 0, 0
    lock = threading.Lock()

    class Slow(Bucket):
        def replace(self, name: str, data: bytes) -> None:
            nonlocal at_work, most
            with lock:
                at_work += len(data)
                most = max(most, at_work)
            super().replace(name, data)
            with lock:
                at_work -= len(data)

    (tmp_path / "file").write_bytes(LARGE)
    bucket = Slow()
    names = [f"artifacts/ab/{n}" for n in range(20)]
    in_parallel(lambda name: upload(bucket, name, str(tmp_path / "file")), names, threads=20)
    assert most <= 64 * MIB
    in_parallel(lambda name: download(bucket, name, lambda piece: None), names, threads=20)
    assert len(sizes(bucket.objects("artifacts"))) == 20


@pytest.mark.parametrize(
    ("name", "file"),
    [
        (NAME, NAME),
        (f"{NAME}/12-of-13", NAME),
        ("packs/abc.json", "packs/abc.json"),
        ("artifacts/ab/0-of-3", "artifacts/ab/0-of-3"),
    ],
)
def test_parts_are_told_by_their_names(name: str, file: str) -> None:
    assert file_of(name) == file
