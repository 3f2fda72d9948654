"""What a project's folder is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlplan.manifest.files import RealDisk, any_match, is_written_outside


@pytest.fixture
def disk(tmp_path: Path) -> RealDisk:
    for name in ("a.csv", "data/b.csv", "data/deep/er/c.png", ".hidden/d.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "data" / "loop").symlink_to(tmp_path)
    (tmp_path / "out").symlink_to(tmp_path.parent)
    (tmp_path / "in").symlink_to(tmp_path / "data")
    return RealDisk(str(tmp_path))


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("*.csv", True), ("*.png", False), ("data/*.csv", True), ("data/*", True), ("*/b.csv", True),
        ("**/*.png", True), ("**/c.png", True), ("**", True), ("data/**/er/*", True), ("**/x", False),
        ("in/**/c.png", True),
        ("?.csv", True), ("[b-z].csv", False), ("*/d.txt", True), (".*/d.txt", True), ("data/dee?", False),
        ("nowhere/*", False),
        ("./*.csv", True),
    ],
)  # fmt: skip
def test_any_match(disk: RealDisk, pattern: str, matches: bool) -> None:
    assert any_match(pattern, disk) is matches


def test_any_match_of_an_absolute_pattern(disk: RealDisk, tmp_path: Path) -> None:
    assert any_match(f"{tmp_path}/data/*.csv", disk)


def test_kinds(disk: RealDisk) -> None:
    paths = ("a.csv", "data", "none", "in/b.csv", "a.csv/x", "x\0")
    assert [disk.kind(path) for path in paths] == ["file", "folder", "", "file", "", ""]


def test_names(disk: RealDisk) -> None:
    assert sorted(disk.names("data")) == ["b.csv", "deep", "loop"]
    assert disk.names("none") == []
    assert disk.folders("data") == ["deep"]  # the link `loop` would lead around
    assert disk.folders("none") == []


@pytest.mark.parametrize(
    ("path", "outside"),
    [
        ("a.csv", False),
        (".", False),
        ("in", False),
        ("in/b.csv", False),
        ("out", True),
        ("out/x", True),
        ("../x", False),
    ],
)
def test_links_that_lead_out(disk: RealDisk, path: str, outside: bool) -> None:
    assert disk.is_outside(path) is outside


@pytest.mark.parametrize(
    ("path", "outside"),
    [("a/../b", False), ("..", True), ("../b", True), ("a/../../b", True), ("/b", True), ("..b", False)],
)
def test_written_outside(path: str, outside: bool) -> None:
    assert is_written_outside(path) is outside
