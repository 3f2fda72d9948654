"""A dataset's source, spelt out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlplan.kinds.dataset.sources import expand, may_be_below, named_by, split_glob
from mlplan.source import Span


def write(folder: Path, *files: str) -> None:
    for path in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, "data/a.csv", "data/b.txt", "data/2023/x.csv", "data/2024/x.csv", "data/2024/q1/x.csv",
          "data/.hidden.csv", "other/a.csv", "data[1].csv", ".gitignore")  # fmt: skip
    return tmp_path


def files(root: Path, *sources: str) -> dict[str, str]:
    """{path in the dataset: path from the root}, sorted by path."""
    found = expand(sources, str(root))
    assert found.problems == ()
    assert found.urls == {}
    return {path: os.path.relpath(here, root) for path, here in sorted(found.files.items())}


def problems(root: Path, *sources: str) -> list[tuple[str, str]]:
    return [(problem.code, problem.detail) for problem in expand(sources, str(root)).problems]


def test_a_single_file_goes_by_its_name(root: Path) -> None:
    assert files(root, "data/2024/q1/x.csv") == {"x.csv": "data/2024/q1/x.csv"}
    assert files(root, str(root / "data/a.csv")) == {"a.csv": "data/a.csv"}
    assert files(root, "data[1].csv") == {"data[1].csv": "data[1].csv"}


def test_a_folder_keeps_its_layout_hidden_files_too(root: Path) -> None:
    (root / "data" / ".gitignore").write_text("*")
    assert files(root, "data/") == {
        ".gitignore": "data/.gitignore",
        ".hidden.csv": "data/.hidden.csv",
        "2023/x.csv": "data/2023/x.csv",
        "2024/q1/x.csv": "data/2024/q1/x.csv",
        "2024/x.csv": "data/2024/x.csv",
        "a.csv": "data/a.csv",
        "b.txt": "data/b.txt",
    }


@pytest.mark.parametrize(
    ("glob", "paths"),
    [
        ("data/*.csv", [".hidden.csv", "a.csv"]),
        ("data/**/*.csv", [".hidden.csv", "2023/x.csv", "2024/q1/x.csv", "2024/x.csv", "a.csv"]),
        ("data/*/x.csv", ["2023/x.csv", "2024/x.csv"]),
        ("data/202[34]/x.csv", ["2023/x.csv", "2024/x.csv"]),
        ("data/202[!3]/**", ["2024/q1/x.csv", "2024/x.csv"]),
        ("data/2024/**/x.csv", ["q1/x.csv", "x.csv"]),
        ("data/?.*", ["a.csv", "b.txt"]),
        ("*/a.csv", ["data/a.csv", "other/a.csv"]),
        ("**/q1/*", ["data/2024/q1/x.csv"]),
        ("./data/./b*", ["b.txt"]),
    ],
)
def test_a_glob_keeps_the_layout_below_its_fixed_beginning(root: Path, glob: str, paths: list[str]) -> None:
    assert list(files(root, glob)) == paths


def test_a_glob_looks_into_no_folder_that_it_cant_fit(root: Path) -> None:
    (root / "data" / "loop").symlink_to(".")
    assert list(files(root, "data/2024/*.csv", "data/*.txt")) == ["b.txt", "x.csv"]


@pytest.mark.parametrize(
    ("glob", "fixed", "rest"),
    [("a/b/*.c", "a/b", "*.c"), ("*.c", ".", "*.c"), ("/*.c", "/", "*.c"), ("/a/x?/b", "/a", "x?/b")],
)
def test_where_a_glob_begins(glob: str, fixed: str, rest: str) -> None:
    assert split_glob(glob) == (fixed, rest)


def test_a_url_goes_by_its_last_name(root: Path) -> None:
    url = "HTTPS://host/a/train%20set.gz?versionId=3#x"
    found = expand([url, "data/a.csv", "${{ env.X }}/data".replace("${{ env.X }}/", "")], str(root))
    assert found.urls == {"train set.gz": url}
    assert found.problems == ()
    assert len(found.files) == 6


def test_the_order_doesnt_count_and_the_same_file_twice_is_fine(root: Path) -> None:
    sources = ["data/*.csv", "data", "data/a.csv"]
    assert files(root, *sources) == files(root, *reversed(sources)) == files(root, "data")


def test_two_that_want_one_path(root: Path) -> None:
    assert problems(root, "data/a.csv", "other/a.csv") == [
        ("MLP5101", "Two sources want the path a.csv in the dataset: data/a.csv and other/a.csv.")
    ]
    assert problems(root, "https://u:p@host/a.csv?sig=s", "data", "https://other/a.csv") == [
        ("MLP5101", "Two sources want the path a.csv in the dataset: https://host/a.csv and data/a.csv."),
        ("MLP5101", "Two sources want the path a.csv in the dataset: https://host/a.csv and https://other/a.csv."),
    ]
    write(root, "flat/2024")
    assert problems(root, "data", "flat/2024") == [
        ("MLP5101", "Two sources want the path 2024 in the dataset: a folder of one source and a file of another.")
    ]


def test_what_names_nothing(root: Path) -> None:
    (root / "empty").mkdir()
    assert problems(
        root, "missing.csv", "empty", "data/*.parquet", "nowhere/*.csv", "https://host/", "https://host"
    ) == [
        ("MLP3304", "missing.csv is neither a file nor a folder."),
        ("MLP5102", "The folder empty holds no files."),
        ("MLP5102", "data/*.parquet fits no file."),
        ("MLP5102", "nowhere/*.csv fits nothing: there is no folder nowhere."),
        ("MLP5104", "The path of https://host/ ends in no name that a file could have."),
        ("MLP5104", "The path of https://host ends in no name that a file could have."),
    ]


@pytest.mark.parametrize(
    "url", ["https://host/..", "https://host/a%2Fb", "https://host/a/%00", "https://host/%2e%2e"]
)
def test_a_urls_name_cant_lead_elsewhere(root: Path, url: str) -> None:
    assert [code for code, _ in problems(root, url)] == ["MLP5104"]


def test_what_cant_be_kept(root: Path) -> None:
    (root / "data" / "gone").symlink_to("nowhere")
    (root / "data" / "round").symlink_to(".")
    os.mkfifo(root / "data" / "pipe")
    (root / "data" / os.fsdecode(b"\xff.csv")).write_text("x")
    assert sorted(problems(root, "data")) == [
        ("MLP5103", "data/gone is a link to nothing."),
        ("MLP5103", "data/pipe is no file: a socket, a pipe or a device."),
        ("MLP5103", "data/round is a link to a folder that it lies in itself."),
        ("MLP5104", "The name of \\udcff.csv is not UTF-8."),
    ]


def test_links_to_data_elsewhere_are_followed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write(elsewhere, "deep/big.bin")
    (root / "linked").symlink_to(elsewhere)
    assert list(files(root, "linked")) == ["deep/big.bin"]


def test_problems_are_told_at_their_places(root: Path) -> None:
    places = [Span("mlplan.yaml", 4, 7, 4, 9), Span("mlplan.yaml", 5, 7, 5, 9)]
    found = expand(["data", "missing"], str(root), places)
    assert [problem.span for problem in found.problems] == [places[1]]


@pytest.mark.parametrize(
    "sources",
    [["data"], ["./data/"], ["data/2024/a.csv", "data/b.csv"], ["data/**/*.csv"], ["data/*.md", "data/2024"], ["."]],
)
def test_names_are_told_without_looking(root: Path, sources: list[str]) -> None:
    for path in ("data/b.csv", "data/2024/a.csv", "data/notes.md", "train.py", "data.csv"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")
    found = {str(Path(path).relative_to(root)) for path in expand(sources, str(root)).files.values()}
    assert found
    every = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert {path for path in every if named_by(sources)(path)} == found
    assert {folder for folder in (".", "data", "data/2024", "else") if may_be_below(sources, folder)} >= {".", "data"}


@pytest.mark.parametrize(
    ("source", "folder", "may"),
    [
        ("data/a.csv", ".", True),
        ("data/*.csv", "data", True),
        ("data", "data/2024", True),
        (".", "scripts", True),
        ("data", "scripts", False),
        ("data", "data2", False),
        ("https://example.org/data/a.csv", ".", False),
    ],
)
def test_which_folders_may_hold_it(source: str, folder: str, may: bool) -> None:
    assert may_be_below([source], folder) is may
