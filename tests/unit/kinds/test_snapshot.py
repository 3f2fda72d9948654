"""Which files of a source folder are packed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlplan.errors import Refusal
from mlplan.kinds.run.snapshot import Snapshot, readable_size, snapshot


def write(folder: Path, *files: str, **contents: str) -> None:
    for path in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("x")
    for name, text in contents.items():
        (folder / f".{name}").write_text(text)


def packed(folder: Path) -> list[str]:
    return list(snapshot(str(folder)).files)


def refused(folder: Path) -> list[str]:
    with pytest.raises(Refusal) as caught:
        snapshot(str(folder))
    assert {problem.code for problem in caught.value.diagnostics} == {"MLP5111"}
    return [problem.detail.removeprefix(folder.name + "/") for problem in caught.value.diagnostics]


def test_everything_sorted_with_its_size(tmp_path: Path) -> None:
    write(tmp_path, "train.py", "b/c.py", "a.txt", ".hidden")
    found = snapshot(str(tmp_path))
    assert found == Snapshot({name: str(tmp_path / name) for name in (".hidden", "a.txt", "b/c.py", "train.py")}, 4)
    assert list(found.files) == sorted(found.files)
    assert found.note == "snapshot: 4 files, 4 B"


def test_what_tools_keep_beside_the_code_is_left_out_whatever_an_ignore_file_says(tmp_path: Path) -> None:
    write(
        tmp_path,
        "train.py", ".git/config", "a/.git/config", ".mlplan/log/1.json", "__pycache__/train.cpython-311.pyc",
        "a/old.pyc", ".venv/pyvenv.cfg", ".venv/lib/x.py", ".cache/CACHEDIR.TAG", ".cache/v/1", "mlplan.yaml",
        "mlplan.lock", "a/mlplan.yaml", "a/.gitignore",
        gitignore="!*\n",
    )  # fmt: skip
    assert packed(tmp_path) == ["a/.gitignore", "a/mlplan.yaml", "train.py"]


def test_what_a_script_writes_is_left_out_at_the_top_unless_taken_back(tmp_path: Path) -> None:
    write(tmp_path, "train.py", "outputs/model.pkl", "logs/x.log", "lib/outputs/x.py", "lib/logs/x.py")
    assert packed(tmp_path) == ["lib/logs/x.py", "lib/outputs/x.py", "train.py"]
    write(tmp_path, mlplanignore="!logs/\n")
    assert packed(tmp_path) == ["lib/logs/x.py", "lib/outputs/x.py", "logs/x.log", "train.py"]


def test_one_ignore_file_alone_counts(tmp_path: Path) -> None:
    write(tmp_path, "a", "b", "c", "d", gitignore="a\n")
    assert packed(tmp_path) == ["b", "c", "d"]
    write(tmp_path, amlignore="b\n")
    assert packed(tmp_path) == ["a", "c", "d"]
    write(tmp_path, mlplanignore="c\n")
    assert packed(tmp_path) == ["a", "b", "d"]
    write(tmp_path, mlplanignore="")
    assert packed(tmp_path) == ["a", "b", "c", "d"]


def test_ignore_files_below_say_nothing(tmp_path: Path) -> None:
    write(tmp_path, "a/x")
    (tmp_path / "a" / ".gitignore").write_text("*\n")
    assert packed(tmp_path) == ["a/.gitignore", "a/x"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_ignored_folder_is_not_walked_into(tmp_path: Path) -> None:
    write(tmp_path, "train.py", "node_modules/x.js", gitignore="node_modules/\n")
    (tmp_path / "node_modules").chmod(0)
    try:
        assert packed(tmp_path) == ["train.py"]
    finally:
        (tmp_path / "node_modules").chmod(0o700)


def test_an_ignored_folder_may_hold_what_is_refused_elsewhere(tmp_path: Path) -> None:
    write(tmp_path, "train.py", "node_modules/x.js", gitignore="node_modules/\n")
    (tmp_path / "node_modules" / "link").symlink_to("/nowhere")
    assert packed(tmp_path) == ["train.py"]


def test_links_are_followed_inside_the_folder_and_refused_out_of_it(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write(source, "a/x.py", "b.py")
    write(tmp_path, "secret")
    (source / "file").symlink_to("a/x.py")
    (source / "folder").symlink_to("a")
    assert packed(source) == ["a/x.py", "b.py", "file", "folder/x.py"]
    for name, target in (("out", "../secret"), ("gone", "nowhere"), ("round", "."), ("a/up", "..")):
        (source / name).symlink_to(target)
    os.mkfifo(source / "pipe")
    assert sorted(refused(source)) == [
        "a/up is a link to a folder that it lies in itself.",
        "folder/up is a link to a folder that it lies in itself.",
        "gone is a link to nothing.",
        "out is a link out of the source folder, so its content isn't the project's.",
        "pipe is no file: a socket, a pipe or a device.",
        "round is a link to a folder that it lies in itself.",
    ]


def test_a_source_that_is_a_link_itself_is_fine(tmp_path: Path) -> None:
    write(tmp_path / "real", "x.py")
    (tmp_path / "link").symlink_to("real")
    assert packed(tmp_path / "link") == ["x.py"]


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "missing") == [". can't be read: No such file or directory."]


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9949, "9.9 kB"), (12_345, "12 kB"), (999_499, "999 kB"),
        (999_500, "1.0 MB"), (3_400_000_000, "3.4 GB"), (2_000_000_000_000_000, "2000 TB"),
    ],
)  # fmt: skip
def test_sizes_for_people(size: int, shown: str) -> None:
    assert readable_size(size) == shown


def test_a_plan_pays_for_no_heavy_import() -> None:
    code = "import sys, mlplan.kinds.run.snapshot, mlplan.kinds.dataset.sources, mlplan.lock.lockfile, \
mlplan.lock.environment; print(sorted({m.partition('.')[0] for m in sys.modules} & {'dataclasses', 'pathlib', \
'subprocess', 'httpx', 'pathspec', 'packaging', 'yaml', 'tomllib', 'urllib', 'tempfile', 'shutil', 'asyncio'}))"
    said = subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path = {sys.path!r}; {code}"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert said.stdout == "[]\n"
