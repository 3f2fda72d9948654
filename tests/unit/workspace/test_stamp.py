"""Stamps: the same for the same files, whoever looks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mlplan.workspace import stamp as module
from mlplan.workspace.stamp import Complicated, Stamp, stamp_folder, stamp_paths


@pytest.fixture(params=["one process", "forked"])
def stamp(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Stamp]:
    forks = request.param == "forked"
    monkeypatch.setattr(module, "WORTH_FORKING", 0 if forks else 10**9)
    monkeypatch.setattr(module, "_may_fork", lambda: True)
    monkeypatch.setattr(module, "cores", lambda: 3)
    monkeypatch.setattr(module, "SLICE", 4)
    return lambda folder: stamp_folder(str(folder))


def shapes(tmp_path: Path) -> dict[str, list[str]]:
    return {
        "empty": [],
        "flat": [f"{n}" for n in range(50)],
        "wide": [f"{n}/file" for n in range(50)],
        "deep": ["/".join(str(n) for n in range(depth)) + "/file" for depth in range(1, 20)],
        "odd names": ["a\nb", "é", "with space", "d\n/x"],
    }


@pytest.mark.parametrize("shape", ["empty", "flat", "wide", "deep", "odd names"])
def test_all_ways_to_look_come_to_the_same(
    tmp_path: Path, shape: str, stamp: Callable[[Path], Stamp], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in shapes(tmp_path)[shape]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    found = stamp(folder)
    assert found == stamp(folder)
    monkeypatch.setattr(module, "WORTH_FORKING", 10**9)
    assert found == stamp(folder)
    assert found.files == found.size == len(shapes(tmp_path)[shape])


def test_a_change_anywhere_changes_it(tmp_path: Path, stamp: Callable[[Path], Stamp]) -> None:
    paths = [tmp_path / "data" / f"d{n % 5}" / str(n) for n in range(30)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    seen = {stamp(tmp_path / "data").digest}
    for path in paths:
        path.write_bytes(b"yy")
        seen.add(stamp(tmp_path / "data").digest)
    paths[0].rename(paths[0].with_name("renamed"))
    seen.add(stamp(tmp_path / "data").digest)
    paths[1].unlink()
    seen.add(stamp(tmp_path / "data").digest)
    (tmp_path / "data" / "more").write_bytes(b"")
    seen.add(stamp(tmp_path / "data").digest)
    assert len(seen) == 34


def test_the_newest_change_is_told(tmp_path: Path, stamp: Callable[[Path], Stamp]) -> None:
    for n in range(9):
        (tmp_path / str(n)).write_bytes(b"")
    assert stamp(tmp_path).newest_ns == max(os.stat(tmp_path / str(n)).st_ctime_ns for n in range(9))


def test_a_linked_file_counts_by_what_it_leads_to(tmp_path: Path, stamp: Callable[[Path], Stamp]) -> None:
    (tmp_path / "outside").write_bytes(b"x")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link").symlink_to("../outside")
    before = stamp(tmp_path / "data")
    (tmp_path / "outside").write_bytes(b"yy")
    assert stamp(tmp_path / "data").digest != before.digest


@pytest.mark.parametrize("name", ["link to a folder", "broken link", "pipe"])
def test_what_only_a_full_walk_can_tell_is_left_to_it(
    tmp_path: Path, stamp: Callable[[Path], Stamp], name: str
) -> None:
    for n in range(9):
        (tmp_path / "data" / str(n)).mkdir(parents=True)
    odd = tmp_path / "data" / "5" / "odd"
    if name == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to("../6" if name == "link to a folder" else "nothing")
    with pytest.raises(Complicated):
        stamp(tmp_path / "data")
    with pytest.raises(Complicated):
        stamp(tmp_path / "none")


def test_paths_are_looked_at_one_by_one(tmp_path: Path, stamp: Callable[[Path], Stamp]) -> None:
    paths = [str(tmp_path / str(n)) for n in range(20)]
    for path in paths:
        Path(path).write_bytes(b"x")
    before = stamp_paths(paths)
    assert (before.files, before.size) == (20, 20)
    Path(paths[7]).write_bytes(b"yy")
    assert stamp_paths(paths).digest != before.digest
    with pytest.raises(Complicated):
        stamp_paths([*paths, str(tmp_path)])
    with pytest.raises(Complicated):
        stamp_paths([*paths, str(tmp_path / "none")])


def test_no_process_is_left(tmp_path: Path, stamp: Callable[[Path], Stamp]) -> None:
    for n in range(30):
        (tmp_path / str(n)).write_bytes(b"")
    before = psutil.Process().children()  # servers of other tests, perhaps
    stamp(tmp_path)
    assert psutil.Process().children() == before
