"""A workspace copied: whole or not at all, and the same however often it was interrupted."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mlplan.address import Address
from mlplan.errors import Refusal
from mlplan.state.entries import Moved, ResourceRecorded, Versioned
from mlplan.workspace import transfer
from mlplan.workspace.archive import Archive, write_archive
from mlplan.workspace.folder import FolderStore
from mlplan.workspace.open import Workspace, open_workspace
from mlplan.workspace.transfer import Copied, copy_workspace

MODEL = Address("model", "m")
FILES = {"a": b"one", "sub/b": b"two" * 1000, **{f"many/{n}": b"%d" % n for n in range(600)}}


@pytest.fixture
def old(tmp_path: Path) -> Workspace:
    """A workspace with four commits, of which the last gave the lease back, and one tree in a pack."""
    for name, content in FILES.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    (tmp_path / "project").mkdir()
    workspace = open_workspace(str(tmp_path / "project"), ".mlplan", "p")
    tree = workspace.artifacts.put_folder(str(tmp_path / "in"))
    with workspace.lease.held(command="mlplan apply") as state:
        for number in (1, 2):
            state = workspace.log.append(state, [Versioned(MODEL, number, tree.digest, {})], command="mlplan apply")
    return workspace


def copy(source: Workspace | Archive, target: Path) -> Copied:
    target.mkdir(exist_ok=True)
    store = source if isinstance(source, Archive) else source.store
    return copy_workspace(store, FolderStore(str(target / "workspace")), str(target), project="p")


def contents(folder: Path) -> dict[str, bytes]:
    kept = (path for part in ("log", "artifacts", "packs") for path in (folder / part).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in kept}


def reopened(folder: Path) -> Workspace:
    return open_workspace(str(folder), "workspace", "p")


def test_a_copy_holds_all_of_it(old: Workspace, tmp_path: Path) -> None:
    copied = copy(old, tmp_path / "new")
    assert (copied.serial, copied.artifacts, copied.sent) == (4, 3, 3)
    assert contents(tmp_path / "new" / "workspace") == contents(tmp_path / "project" / ".mlplan")
    new = reopened(tmp_path / "new")
    (version, _) = new.log.read().versions[MODEL]
    assert new.log.read() == old.log.read()
    assert new.artifacts.problems(version.digest, deep=True) == ()
    assert sorted(os.listdir(tmp_path / "new")) == [".mlplan", "workspace"]


def test_progress_tells_all_bytes(old: Workspace, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    target = FolderStore(str(tmp_path / "new"))
    copied = copy_workspace(
        old.store, target, str(tmp_path), project="p", on_progress=lambda done, total: told.append((done, total))
    )
    assert told[-1] == (copied.size, copied.size)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


class Cut(Exception):
    """The copy ends here."""


@pytest.mark.parametrize("writes", range(7))
def test_a_copy_that_was_interrupted_is_never_read_as_whole_and_goes_on(
    old: Workspace, tmp_path: Path, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = writes

    def counted(write: Callable[..., object]) -> Callable[..., object]:
        def cut(*arguments: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise Cut
            return write(*arguments)

        return cut

    monkeypatch.setattr(transfer, "AT_ONCE", 1)
    for method in ("upload", "create"):
        monkeypatch.setattr(FolderStore, method, counted(getattr(FolderStore, method)))
    with pytest.raises(Cut):
        copy(old, tmp_path / "new")
    monkeypatch.undo()

    log = reopened(tmp_path / "new").log
    if writes <= 3:
        assert log.read().serial == 0
    else:
        with pytest.raises(Refusal, match="MLP4002"):
            log.read()
    again = copy(old, tmp_path / "new")
    assert again.sent == 3 - min(writes, 3)
    assert contents(tmp_path / "new" / "workspace") == contents(tmp_path / "project" / ".mlplan")


def test_a_copy_again_sends_nothing(old: Workspace, tmp_path: Path) -> None:
    copy(old, tmp_path / "new")
    assert copy(old, tmp_path / "new").sent == 0


def test_up_to_a_serial(old: Workspace, tmp_path: Path) -> None:
    store = FolderStore(str(tmp_path / "new"))
    assert copy_workspace(old.store, store, str(tmp_path), project="p", up_to=3).serial == 3


def test_another_history_is_left_alone(old: Workspace, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    other = reopened(tmp_path / "new")
    with other.lease.held(command="mlplan apply"):
        pass
    before = contents(tmp_path / "new" / "workspace")
    with pytest.raises(Refusal, match="MLP4007"):
        copy(old, tmp_path / "new")
    assert contents(tmp_path / "new" / "workspace") == before


def test_a_place_that_went_on_by_itself_is_left_alone(old: Workspace, tmp_path: Path) -> None:
    copy(old, tmp_path / "new")
    with reopened(tmp_path / "new").lease.held(command="mlplan apply"):
        pass
    with pytest.raises(Refusal, match="MLP4007"):
        copy(old, tmp_path / "new")


@pytest.mark.parametrize("used", [False, True], ids=["at once", "after an apply"])
def test_a_place_that_it_was_moved_away_from_is_told_from_another_history(
    old: Workspace, tmp_path: Path, used: bool
) -> None:
    copy(old, tmp_path / "new")
    with old.lease.held(command="mlplan workspace migrate") as state:
        old.log.append(state, [Moved("s3://team/p")], command="mlplan workspace migrate")
    new = reopened(tmp_path / "new")
    if used:
        for _ in range(2):
            with new.lease.held(command="mlplan apply"):
                pass
    with pytest.raises(Refusal) as refused:
        copy_workspace(new.store, old.store, str(tmp_path), project="p")
    (problem,) = refused.value.diagnostics
    assert problem.code == "MLP4007"
    assert "this very history, as it was when it was moved from there to s3://team/p on 20" in problem.detail


def test_another_projects_workspace_is_refused(old: Workspace, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="MLP4005"):
        copy_workspace(old.store, FolderStore(str(tmp_path / "new")), str(tmp_path), project="other")


def test_damage_is_not_copied(old: Workspace, tmp_path: Path) -> None:
    (pack,) = (path for path in (tmp_path / "project/.mlplan/packs").iterdir() if not path.suffix)
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:-1] + b"?")
    with pytest.raises(Refusal, match="MLP4202"):
        copy(old, tmp_path / "new")
    with pytest.raises(Refusal, match="MLP4202"):
        write_archive(old.store, str(tmp_path / "archive"), project="p")
    assert not (tmp_path / "archive").exists()
    assert reopened(tmp_path / "new").log.read().serial == 0


def test_damage_in_the_new_place_is_noticed(old: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = FolderStore.upload

    def upload_damaged(store: FolderStore, name: str, path: str) -> None:
        Path(path).write_bytes(b"x" * os.path.getsize(path))
        upload(store, name, path)

    monkeypatch.setattr(FolderStore, "upload", upload_damaged)
    with pytest.raises(Refusal, match="MLP4202"):
        copy(old, tmp_path / "new")


def test_a_moved_workspace_can_be_read_and_not_gone_on_with(old: Workspace, tmp_path: Path) -> None:
    with old.lease.held(command="mlplan workspace migrate") as state:
        old.log.append(state, [Moved("s3://team/p")], command="mlplan workspace migrate")
    again = open_workspace(str(tmp_path / "project"), ".mlplan", "p")
    state = again.log.read()
    assert state.moved == "s3://team/p"
    assert state.lease is None
    assert len(state.versions[MODEL]) == 2
    with pytest.raises(Refusal, match="MLP4006") as refused:
        again.lease.take(command="mlplan apply")
    assert "workspace: s3://team/p" in refused.value.diagnostics[0].hint
    with pytest.raises(Refusal, match="MLP4006"):
        copy(old, tmp_path / "new")
    again.log.keep_checkpoint()
    assert open_workspace(str(tmp_path / "project"), ".mlplan", "p").log.read() == state


def test_an_archive_brings_it_to_another_place(old: Workspace, tmp_path: Path) -> None:
    written = write_archive(old.store, str(tmp_path / "archive.zip"), project="p")
    copied = copy(Archive(str(tmp_path / "archive.zip")), tmp_path / "new")
    assert (copied.serial, copied.digest) == (written.serial, written.digest)
    assert contents(tmp_path / "new" / "workspace") == contents(tmp_path / "project" / ".mlplan")
    assert write_archive(old.store, str(tmp_path / "again.zip"), project="p") == written
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "archive.zip").read_bytes()


@pytest.mark.parametrize("gone", ["pack", "note and pack", "listing"])
def test_what_was_not_whole_before_is_told(old: Workspace, tmp_path: Path, gone: str) -> None:
    tree = old.log.read().versions[MODEL][0].digest
    with old.lease.held(command="mlplan apply") as state:
        old.log.append(state, [ResourceRecorded(MODEL, {}, {}, protect=False)], command="mlplan apply")
    assert copy(old, tmp_path / "whole").gone == 0
    for name in [name for name in transfer.content_of(old.store) if name.startswith("packs/")]:
        if gone != "listing" and (gone != "pack" or not name.endswith(".json")):
            old.store.delete(name)
    if gone == "listing":
        old.store.delete(f"artifacts/{tree[:2]}/{tree[2:]}")
    assert copy(old, tmp_path / "new").gone == 1
    assert write_archive(old.store, str(tmp_path / "archive.zip"), project="p").gone == 1


@pytest.mark.parametrize("damage", ["cut", "turned", "no archive", "another zip", "newer"])
def test_an_archive_that_is_not_whole_is_refused(old: Workspace, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "archive.zip"
    write_archive(old.store, str(path), project="p")
    data = path.read_bytes()
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "turned":
        at = data.index(b"two" * 1000) if b"two" * 1000 in data else len(data) // 2
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    elif damage == "no archive":
        path.write_bytes(b"hello")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("mlplan-workspace.json" if damage == "newer" else "x", '{"format": 2}')
    with pytest.raises(Refusal, match="MLP4004" if damage == "newer" else "MLP4008"):
        copy(Archive(str(path)), tmp_path / "new")
    assert reopened(tmp_path / "new").log.read().serial == 0
