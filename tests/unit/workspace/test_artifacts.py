"""Artifacts: kept whole, handed out checked, never shared with what a script can write."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from mlplan.errors import Refusal
from mlplan.workspace import artifacts as module
from mlplan.workspace import packs
from mlplan.workspace.artifacts import FolderArtifacts
from mlplan.workspace.protocols import FileEntry, Tree
from mlplan.workspace.shared_artifacts import artifact_name


@pytest.fixture(params=["loose", "packed"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderArtifacts:
    """Artifacts that keep small files each for itself, or all in packs."""
    if request.param == "packed":
        monkeypatch.setattr(module, "FROM", 1)
    return open_artifacts(tmp_path)


def open_artifacts(folder: Path) -> FolderArtifacts:
    return FolderArtifacts(str(folder / "ws"), str(folder / "views"), lambda found: [None] * len(found.paths))


def make(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def read(folder: str | Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()
    }


FILES = {"a.txt": b"one", "sub/b.txt": b"two", "sub/deep/c": b"", "copy.txt": b"one", "big.bin": b"x" * 3_000_000}


def code(refused: pytest.ExceptionInfo[Refusal]) -> str:
    return code_of(refused.value)


def code_of(refusal: Refusal) -> str:
    (diagnostic,) = refusal.diagnostics
    return diagnostic.code


def test_a_folder_comes_out_as_it_went_in(kept: FolderArtifacts, tmp_path: Path) -> None:
    tree = kept.put_folder(str(make(tmp_path / "in", FILES)))
    kept.check_out(tree.digest, str(tmp_path / "out"))
    assert read(tmp_path / "out") == FILES
    assert (tree.count, tree.size) == (5, 3_000_009)
    assert [entry.path for entry in tree.files] == ["a.txt", "big.bin", "copy.txt", "sub/b.txt", "sub/deep/c"]


def test_the_same_content_is_the_same_tree_wherever_it_is_kept(tmp_path: Path) -> None:
    folder = make(tmp_path / "in", {"a.txt": b"one", "sub/b.txt": b"two"})
    tree = open_artifacts(tmp_path / "1").put_folder(str(folder))
    again = open_artifacts(tmp_path / "2").put_files(
        {"a.txt": str(folder / "a.txt"), "sub/b.txt": str(folder / "sub/b.txt")}
    )
    assert tree == again
    assert tree.digest == "e13b8953f7a7cf7106c42248e77073184063715bbf518453dc2fe7fd332074b4"


def test_another_process_reads_what_this_one_kept(kept: FolderArtifacts, tmp_path: Path) -> None:
    tree = kept.put_folder(str(make(tmp_path / "in", FILES)))
    other = open_artifacts(tmp_path)
    assert other.tree(tree.digest).files == tree.files
    assert other.read_bytes(tree.digest, "sub/b.txt") == b"two"
    assert other.problems(tree.digest) == other.problems(tree.digest, deep=True) == ()


def test_a_folder_that_grew_keeps_only_what_is_new(kept: FolderArtifacts, tmp_path: Path) -> None:
    folder = make(tmp_path / "in", FILES)
    kept.put_folder(str(folder))
    before = read(tmp_path / "ws")
    make(folder, {"new": b"three"})
    tree = kept.put_folder(str(folder))
    added = {name: content for name, content in read(tmp_path / "ws").items() if name not in before}
    assert sum(len(content) for name, content in added.items()) < 2000
    assert kept.read_bytes(tree.digest, "new") == b"three"
    assert kept.problems(tree.digest) == ()


def test_an_executable_stays_one(kept: FolderArtifacts, tmp_path: Path) -> None:
    folder = make(tmp_path / "in", {"run.sh": b"#!/bin/sh\n"})
    plain = kept.put_folder(str(folder))
    (folder / "run.sh").chmod(0o755)
    tree = kept.put_folder(str(folder))
    assert plain.digest != tree.digest
    kept.check_out(tree.digest, str(tmp_path / "out"))
    assert os.access(tmp_path / "out" / "run.sh", os.X_OK)


def test_names_of_all_kinds(kept: FolderArtifacts, tmp_path: Path) -> None:
    files = {"with space": b"1", "line\nend": b"2", "back\\slash": b"3", "é.txt": b"4", "back\\nslash": b"5"}
    folder = make(tmp_path / "in", files)
    (Path(os.fsdecode(os.fsencode(folder) + b"/\xff"))).write_bytes(b"6")
    tree = kept.put_folder(str(folder))
    open_artifacts(tmp_path).check_out(tree.digest, str(tmp_path / "out"))
    assert read(tmp_path / "out") == read(folder)


def test_an_empty_folder(kept: FolderArtifacts, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    tree = kept.put_folder(str(tmp_path / "in"))
    assert tree.count == 0
    assert os.listdir(kept.view(tree.digest)) == []


def test_subtrees(kept: FolderArtifacts, tmp_path: Path) -> None:
    tree = kept.put_folder(str(make(tmp_path / "in", FILES)))
    file = kept.subtree(tree.digest, "sub/b.txt")
    folder = kept.subtree(tree.digest, "sub")
    assert file is not None
    assert folder is not None
    assert [entry.path for entry in file.files] == ["b.txt"]
    assert [entry.path for entry in folder.files] == ["sub/b.txt", "sub/deep/c"]
    assert kept.subtree(tree.digest, "su") is None
    assert read(open_artifacts(tmp_path).view(folder.digest)) == {"sub/b.txt": b"two", "sub/deep/c": b""}


def test_kept_bytes_are_no_ones_inode_but_their_own(kept: FolderArtifacts, tmp_path: Path) -> None:
    folder = make(tmp_path / "in", FILES)
    tree = kept.put_folder(str(folder))
    kept.check_out(tree.digest, str(tmp_path / "out"))
    view = kept.view(tree.digest)
    inodes = [
        {os.stat(path).st_ino for path in Path(where).rglob("*") if path.is_file()}
        for where in (folder, tmp_path / "out", view, tmp_path / "ws")
    ]
    assert sum(map(len, inodes)) == len(set().union(*inodes))


def test_a_view_is_read_only_and_made_once(kept: FolderArtifacts, tmp_path: Path) -> None:
    tree = kept.put_folder(str(make(tmp_path / "in", FILES)))
    view = kept.view(tree.digest)
    assert read(view) == FILES
    before = os.stat(f"{view}/a.txt")
    assert stat.S_IMODE(before.st_mode) == 0o444
    assert stat.S_IMODE(os.stat(f"{view}/sub").st_mode) == 0o555
    assert open_artifacts(tmp_path).view(tree.digest) == view
    assert os.stat(f"{view}/a.txt").st_ino == before.st_ino


def alter(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"two!")


def remove(path: Path) -> None:
    path.parent.chmod(0o755)
    path.unlink()


def replace(path: Path) -> None:
    times = os.stat(path)
    path.parent.chmod(0o755)
    path.unlink()
    path.write_bytes(b"TWO")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def add(path: Path) -> None:
    path.parent.chmod(0o755)
    (path.parent / "more").write_bytes(b"")


def make_executable(path: Path) -> None:
    path.chmod(0o777)


@pytest.mark.parametrize("harm", [alter, remove, replace, add, make_executable])
def test_a_view_that_somebody_wrote_into_is_made_anew(
    kept: FolderArtifacts, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    tree = kept.put_folder(str(make(tmp_path / "in", FILES)))
    view = Path(kept.view(tree.digest))
    harm(view / "sub" / "b.txt")
    assert read(kept.view(tree.digest)) == FILES
    assert kept.problems(tree.digest, deep=True) == ()


def test_a_view_from_before_the_last_start_of_the_machine_is_made_anew(
    kept: FolderArtifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = kept.put_folder(str(make(tmp_path / "in", FILES)))
    before = os.stat(kept.view(tree.digest)).st_ino
    monkeypatch.setattr("mlplan.workspace.views.boot", lambda: "the next")
    assert os.stat(kept.view(tree.digest)).st_ino != before


def files_of(folder: Path, *, of: str) -> list[Path]:
    return sorted(path for path in (folder / "ws" / of).rglob("*") if path.is_file() and path.suffix != ".json")


def spoil_each(tmp_path: Path, spoil: Callable[[Path], None]) -> list[str]:
    """The codes of what reading says when one kept file after another is spoilt and put right again."""
    tree = open_artifacts(tmp_path).put_folder(str(make(tmp_path / "in", FILES)))
    said = []
    for path in [*files_of(tmp_path, of="artifacts"), *files_of(tmp_path, of="packs")]:
        content, mode = path.read_bytes(), path.stat().st_mode
        if not content:
            continue
        path.chmod(0o644)
        spoil(path)
        fresh = open_artifacts(tmp_path)
        with pytest.raises(Refusal) as refused:
            fresh.check_out(tree.digest, str(tmp_path / "out"))
        said.append(code(refused))
        with pytest.raises(Refusal):
            open_artifacts(tmp_path).view(tree.digest)
        assert fresh.problems(tree.digest, deep=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
    open_artifacts(tmp_path).check_out(tree.digest, str(tmp_path / "out"))
    return said


def turn_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def test_damage_is_noticed_and_never_handed_out(kept: FolderArtifacts, tmp_path: Path) -> None:
    assert set(spoil_each(tmp_path, turn_a_bit)) == {"MLP4202"}
    assert set(spoil_each(tmp_path, cut)) <= {"MLP4201", "MLP4202"}
    assert set(spoil_each(tmp_path, Path.unlink)) == {"MLP4201"}


@pytest.mark.parametrize("spoil", [cut, Path.unlink])
def test_a_wrong_size_is_noticed_without_reading(
    kept: FolderArtifacts, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    tree = kept.put_folder(str(make(tmp_path / "in", FILES)))
    victim = next(
        path
        for path in [*files_of(tmp_path, of="packs"), *files_of(tmp_path, of="artifacts")]
        if b"two" in path.read_bytes() and b"mlplan tree" not in path.read_bytes()
    )
    victim.chmod(0o644)
    spoil(victim)
    assert "sub/b.txt" in open_artifacts(tmp_path).problems(tree.digest)


def test_a_file_of_the_wrong_size_is_put_right_by_keeping_it_again(tmp_path: Path) -> None:
    kept, folder = open_artifacts(tmp_path), make(tmp_path / "in", FILES)
    tree = kept.put_folder(str(folder))
    for path in files_of(tmp_path, of="artifacts"):
        path.chmod(0o644)
        path.write_bytes(b"another size")
    fresh = open_artifacts(tmp_path)
    fresh.put_folder(str(folder))
    assert fresh.problems(tree.digest, deep=True) == ()


def test_an_unknown_tree_is_missing(kept: FolderArtifacts) -> None:
    for ask in (kept.tree, kept.view):
        with pytest.raises(Refusal) as refused:
            ask("0" * 64)
        assert code(refused) == "MLP4201"
    assert kept.problems("0" * 64) == ("list",)


def test_a_listing_that_leads_out_is_damaged(tmp_path: Path) -> None:
    kept = open_artifacts(tmp_path)
    for path in ("../evil", "/etc/evil", "a/../../evil"):
        listing = f"mlplan tree 1\n{'0' * 64} 0 - {path}\n".encode()
        digest = sha256(listing).hexdigest()
        make(tmp_path / "ws" / "artifacts", {f"{digest[:2]}/{digest[2:]}": listing})
        with pytest.raises(Refusal) as refused:
            kept.check_out(digest, str(tmp_path / "out"))
        assert code(refused) == "MLP4202"


def test_links_inside_are_followed(kept: FolderArtifacts, tmp_path: Path) -> None:
    folder = make(tmp_path / "in", {"a.txt": b"one", "sub/b.txt": b"two"})
    (folder / "link.txt").symlink_to("a.txt")
    (folder / "linked").symlink_to("sub")
    tree = kept.put_folder(str(folder))
    assert [entry.path for entry in tree.files] == ["a.txt", "link.txt", "linked/b.txt", "sub/b.txt"]


@pytest.mark.parametrize("target", ["../outside", "/etc/passwd", "nowhere", ".", "sub/loop"])
def test_links_out_to_nothing_and_in_circles_are_refused(kept: FolderArtifacts, tmp_path: Path, target: str) -> None:
    make(tmp_path, {"outside": b"secret"})
    folder = make(tmp_path / "in", {"sub/b.txt": b"two"})
    (folder / "sub" / "loop").symlink_to(folder / "sub")
    (folder / "link").symlink_to(target)
    with pytest.raises(Refusal) as refused:
        kept.put_folder(str(folder))
    assert code(refused) == "MLP4203"


def test_what_is_no_file_is_refused(kept: FolderArtifacts, tmp_path: Path) -> None:
    folder = make(tmp_path / "in", {"a": b""})
    os.mkfifo(folder / "pipe")
    with pytest.raises(Refusal) as refused:
        kept.put_folder(str(folder))
    assert code(refused) == "MLP4205"
    with pytest.raises(Refusal) as refused:
        kept.put_files({"x": str(folder / "none")})
    assert code(refused) == "MLP4205"


def test_what_fails_midway_leaves_nothing_that_is_believed(
    kept: FolderArtifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(tmp_path / "in", FILES)
    real = os.write
    left = [0]

    def full(fd: int, data: bytes) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return real(fd, data)

    for writes in range(100):
        left[0] = writes
        monkeypatch.setattr(os, "write", full)
        try:
            tree = kept.put_folder(str(folder))
        except Refusal as refused:
            said = code_of(refused)
        else:
            said = ""
        monkeypatch.undo()
        assert said in ("", "MLP4302")
        assert files_of(tmp_path, of="tmp") == []
        for path in files_of(tmp_path, of="artifacts"):
            assert sha256(path.read_bytes()).hexdigest() == path.parent.name + path.name
        for path in files_of(tmp_path, of="packs"):
            assert sha256(path.read_bytes()).hexdigest() == path.name
        if not said:
            break
    assert writes > 3
    assert kept.problems(tree.digest, deep=True) == ()


def test_a_file_that_is_written_to_while_it_is_read_is_refused(kept: FolderArtifacts, tmp_path: Path) -> None:
    folder = make(tmp_path / "in", {"growing": b"x" * 1_000_000})

    def grow(count: int) -> None:
        with open(folder / "growing", "ab") as stream:
            stream.write(b"y")

    with pytest.raises(Refusal) as refused:
        kept.put_folder(str(folder), on_bytes=grow)
    assert code(refused) == "MLP4204"
    assert files_of(tmp_path, of="tmp") == []


def test_progress_tells_every_byte_once(kept: FolderArtifacts, tmp_path: Path) -> None:
    told: list[int] = []
    kept.put_folder(str(make(tmp_path / "in", FILES)), on_bytes=told.append)
    assert sum(told) == 3_000_009


def test_garbage_is_what_no_kept_tree_needs(kept: FolderArtifacts, tmp_path: Path) -> None:
    old = kept.put_folder(str(make(tmp_path / "one", {"a": b"shared", "b": b"old" * 100_000, "c": b"lone"})))
    new = kept.put_folder(str(make(tmp_path / "two", {"a": b"shared", "d": b"new"})))
    kept.view(old.digest)
    garbage = kept.garbage([new.digest])
    assert old.digest in garbage.digests
    assert new.digest not in garbage.digests
    assert garbage.size > 300_000
    kept.remove(garbage)
    assert open_artifacts(tmp_path).problems(new.digest, deep=True) == ()
    assert open_artifacts(tmp_path).problems(old.digest)
    assert os.listdir(tmp_path / "views") == []
    assert open_artifacts(tmp_path).garbage([new.digest]).digests == ()


def test_what_is_used_stays_and_is_not_taken_for_written_to(tmp_path: Path) -> None:
    kept = open_artifacts(tmp_path)
    for name in ("used", "unused"):
        kept.put_folder(str(make(tmp_path / name, {"x": name.encode() * 1000})))
    path = tmp_path / "ws" / artifact_name(sha256(b"used" * 1000).hexdigest())
    written = path.stat().st_mtime_ns
    kept.trim(1 << 20, keep={artifact_name(sha256(b"used" * 1000).hexdigest())})
    kept.trim(5000, keep=())
    assert path.stat().st_mtime_ns == written  # or a copy that another command makes meanwhile would be refused
    assert not (tmp_path / "ws" / artifact_name(sha256(b"unused" * 1000).hexdigest())).exists()


def test_what_crashed_writers_left_behind_is_removed(kept: FolderArtifacts, tmp_path: Path) -> None:
    tree = kept.put_folder(str(make(tmp_path / "in", FILES)))
    kept.view(tree.digest)
    make(tmp_path, {"ws/tmp/1-left": b"x", "views/.1-left/sub/file": b"x"})
    (tmp_path / "views" / ".1-left" / "sub").chmod(0o555)
    kept.remove(kept.garbage([tree.digest]))
    assert files_of(tmp_path, of="tmp") == []
    assert sorted(os.listdir(tmp_path / "views")) == [tree.digest, f"{tree.digest}.json"]


def test_many_small_files_are_kept_in_few(tmp_path: Path) -> None:
    count = packs.FROM
    kept = open_artifacts(tmp_path)
    tree = kept.put_folder(str(make(tmp_path / "in", {f"d{n % 7}/{n}": b"%d" % n for n in range(count)})))
    assert len(files_of(tmp_path, of="artifacts")) == len(files_of(tmp_path, of="packs")) == 1
    assert read(open_artifacts(tmp_path).view(tree.digest)) == {f"d{n % 7}/{n}": b"%d" % n for n in range(count)}


def test_two_packs_where_one_would_be_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FROM", 1)
    monkeypatch.setattr(packs, "LARGEST", 10)
    files = {f"{n}": b"%06d" % n for n in range(9)}
    tree = open_artifacts(tmp_path).put_folder(str(make(tmp_path / "in", files)))
    assert len(files_of(tmp_path, of="packs")) == 5
    assert read(open_artifacts(tmp_path).view(tree.digest)) == files


def test_a_tree_is_equal_by_digest_and_lists_its_files_when_asked() -> None:
    asked: list[int] = []

    def files() -> tuple[FileEntry, ...]:
        asked.append(1)
        return (FileEntry("a", "0" * 64, 3),)

    lazy = Tree("d", files, count=1, size=3)
    assert lazy == Tree("d", ())
    assert lazy != Tree("e", ())
    assert not asked
    assert lazy.files == lazy.files == (FileEntry("a", "0" * 64, 3),)
    assert asked == [1]
