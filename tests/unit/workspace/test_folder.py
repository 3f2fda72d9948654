"""A folder as a store, beyond what every store promises (tests/contract/test_stores.py)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlplan.codes import Code
from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.workspace.folder import FolderStore


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
