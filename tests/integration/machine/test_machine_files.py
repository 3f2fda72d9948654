"""Files that are there whole or not at all, and locks that end with their holder."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlplan.machine import files


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files.write_json(str(path), {"a": 1}, durable=True, mode=0o600)

    with pytest.raises(TypeError):
        files.write_json(str(path), {"a": object()}, durable=True)

    assert files.read_json(str(path)) == {"a": 1}
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", None])
def test_what_is_no_object_is_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)

    assert files.read_json(str(path)) is None


def test_a_folder_is_copied_as_new_writable_files(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "left-out").mkdir()
    (source / "deep" / "left-out").write_text("stays: only the top counts")
    (source / "run.sh").write_text("#!/bin/sh\n")
    (source / "run.sh").chmod(0o555)
    (source / "link").symlink_to("run.sh")

    files.copy_folder(str(source), str(tmp_path / "copy"), leave_out=("left-out",))

    copied = {str(p.relative_to(tmp_path / "copy")) for p in (tmp_path / "copy").rglob("*")}
    assert copied == {"deep", "deep/left-out", "run.sh", "link"}
    assert (tmp_path / "copy" / "run.sh").stat().st_mode & 0o700 == 0o700
    assert not (tmp_path / "copy" / "link").is_symlink()


def test_a_removal_that_was_cut_short_is_finished_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "a" / "deep").mkdir(parents=True)
    (tmp_path / ".gone-a" / "deep").mkdir(parents=True)
    (tmp_path / ".gone-a" / "deep").chmod(0o500)
    (tmp_path / "other").mkdir()

    files.remove_folder(str(tmp_path / "a"))
    files.remove_folder(str(tmp_path / "a"))

    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_lock_ends_with_its_holder(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    hold = f"""
from mlplan.machine import files
with files.locked({path!r}):
    print("held", flush=True)
    input()
"""
    holder = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert files.is_locked(path)

    holder.kill()
    holder.communicate()

    assert not files.is_locked(path)
    with files.locked(path):
        assert files.is_locked(path)
    assert not files.is_locked(path)


def test_a_lock_is_held_until_the_last_that_inherited_it_ends(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with files.locked(path) as handle:
        heir = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(handle,))
    assert files.is_locked(path)

    heir.communicate()

    assert not files.is_locked(path)


def test_a_lock_that_was_removed_is_taken_anew(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    order: list[str] = []
    with files.locked(path):
        waiting = threading.Thread(target=lambda: _note(path, order))
        waiting.start()
        os.unlink(path)
        order.append("removed")
    waiting.join()

    assert order == ["removed", "locked"]
    assert os.path.exists(path)


def _note(path: str, order: list[str]) -> None:
    with files.locked(path):
        order.append("locked")


def test_no_lock_is_not_locked(tmp_path: Path) -> None:
    assert not files.is_locked(str(tmp_path / "nowhere"))


def test_folders_that_were_never_moved_into_place_are_swept_by_age(tmp_path: Path) -> None:
    aside = Path(files.aside(str(tmp_path / "job")))
    aside.mkdir()

    files.sweep(str(tmp_path))
    files.sweep(str(tmp_path), asides_older_than_s=3600)
    assert [path.name for path in tmp_path.iterdir()] == [".job.new"]

    os.utime(aside, (0, 0))
    files.sweep(str(tmp_path), asides_older_than_s=3600)
    assert list(tmp_path.iterdir()) == []
