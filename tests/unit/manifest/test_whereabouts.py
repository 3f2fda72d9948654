"""Whose records a manifest speaks of, and where they are, is told in spite of errors that don't touch that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlplan.manifest.load import Loaded, load

MANIFEST = """\
version: 1
project: demo
workspace: "s3://team/${{ var.place }}"
variables:
  place: {default: here}
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py, timeout: 2h}
profiles:
  prod: {workspace: "s3://prod/demo"}
"""


def told(folder: Path, text: str, **given: Any) -> Loaded:
    (folder / "scripts").mkdir(exist_ok=True)
    (folder / "scripts" / "train.py").touch()
    (folder / "mlplan.yaml").write_text(text)
    return load(str(folder / "mlplan.yaml"), **{"environ": {}, **given})


def test_a_valid_manifest_tells_it_from_the_cache_too(tmp_path: Path) -> None:
    loads = [told(tmp_path, MANIFEST, cache=str(tmp_path / "cache")).whereabouts for _ in range(2)]
    assert loads == [(str(tmp_path), "demo", "s3://team/here")] * 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timeout: 2h", "timeout: 1.5"),
        ("timeout: 2h", "timeut: 2h"),
        ("train.py", "trian.py"),
        ("compute: laptop", "compute: desktop"),
        ("{type: local}", "{type: local, type: docker}"),
        ("version: 1\n", ""),
        ("default: here", "default: here, sort: string"),
    ],
)
def test_errors_elsewhere_leave_it_clear(tmp_path: Path, old: str, new: str) -> None:
    assert MANIFEST.count(old) == 1
    loaded = told(tmp_path, MANIFEST.replace(old, new))
    assert loaded.manifest is None
    assert loaded.whereabouts == (str(tmp_path), "demo", "s3://team/here")


def test_a_profile_is_obeyed_in_a_broken_manifest(tmp_path: Path) -> None:
    loaded = told(tmp_path, MANIFEST.replace("timeout: 2h", "timeout: 1.5"), profile="prod")
    assert loaded.manifest is None
    assert loaded.whereabouts == (str(tmp_path), "demo", "s3://prod/demo")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1", "version: 1: 2"),
        ("version: 1", "version: 2"),
        ("project: demo\n", ""),
        ("project: demo", "project: [demo]"),
        ("project: demo", "project: demo\nproject: other"),
        ("\nworkspace:", "\nworkspase:"),
        ('workspace: "s3://team/${{ var.place }}"', "workspace: 3"),
        ("var.place", "env.PLACE"),
        ("var.place", "var.plaice"),
        ("default: here", "type: string"),
        ("default: here", "default: here, type: integer"),
    ],
)
def test_errors_that_touch_it_leave_it_in_doubt(tmp_path: Path, old: str, new: str) -> None:
    assert MANIFEST.count(old) == 1
    assert told(tmp_path, MANIFEST.replace(old, new)).whereabouts is None


@pytest.mark.parametrize(
    "given",
    [{"profile": "prd"}, {"variables": {"plaice": "there"}}, {"variable_files": ["none.yaml"]}],
    ids=["profile", "variable", "variable file"],
)
def test_what_is_wrong_with_the_command_line_leaves_it_in_doubt(tmp_path: Path, given: dict[str, Any]) -> None:
    assert told(tmp_path, MANIFEST, **given).whereabouts is None


@pytest.mark.parametrize("profile", ["3", "{workspase: elsewhere}", "{workspace: 3}"])
def test_a_broken_profile_leaves_it_in_doubt(tmp_path: Path, profile: str) -> None:
    text = MANIFEST.replace('{workspace: "s3://prod/demo"}', profile)
    assert told(tmp_path, text, profile="prod").whereabouts is None
    assert told(tmp_path, text).whereabouts is not None  # it isn't laid over
