"""A workspace as a whole."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mlplan.errors import Refusal
from mlplan.workspace.open import open_workspace
from mlplan.workspace.revision import git_revision


def test_reading_leaves_only_the_cache_behind(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one")
    workspace = open_workspace(str(tmp_path), ".mlplan", "p")
    assert workspace.log.read().serial == 0
    assert workspace.lease.holder() is None
    assert workspace.artifacts.problems("0" * 64)
    workspace.files.folder(".")
    workspace.files.python("a.txt")
    assert os.listdir(tmp_path) == ["a.txt"]
    workspace.files.save()
    assert sorted(os.listdir(tmp_path / ".mlplan")) == [".gitignore", "cache", "tmp"]
    assert (tmp_path / ".mlplan" / ".gitignore").read_text() == "*\n"


def test_another_folder_as_workspace(tmp_path: Path) -> None:
    workspace = open_workspace(str(tmp_path), "../shared/state", "p")
    with workspace.lease.held(command="mlplan apply"):
        assert workspace.log.read().serial == 1
    assert sorted(os.listdir(tmp_path.parent / "shared" / "state")) == [".gitignore", "lease", "log", "tmp"]
    assert workspace.local == str(tmp_path / ".mlplan")


def test_folders_of_this_machine(tmp_path: Path) -> None:
    workspace = open_workspace(str(tmp_path), ".mlplan", "p")
    assert workspace.folder("runs") == str(tmp_path / ".mlplan" / "runs")
    assert sorted(os.listdir(tmp_path / ".mlplan")) == [".gitignore", "runs"]


def test_an_unknown_kind_of_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="MLP4305"):
        open_workspace(str(tmp_path), "ftp://host/path", "p")


@pytest.mark.parametrize(
    "place", ["s3://AKIA:hush@bucket/prefix", "az://container/prefix?sv=1&sig=hush", "gs://bucket#hush"]
)
def test_a_place_with_credentials_is_refused_without_showing_them(tmp_path: Path, place: str) -> None:
    with pytest.raises(Refusal, match="MLP4305") as refused:
        open_workspace(str(tmp_path), place, "p")
    assert "hush" not in str(refused.value.diagnostics)


@pytest.mark.parametrize("place", ["s3://", "s3:///prefix", "s3://bucket/../prefix", "az://container/a//b"])
def test_a_place_that_names_no_bucket_or_climbs_is_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(Refusal, match="MLP4305"):
        open_workspace(str(tmp_path), place, "p")


@pytest.mark.parametrize(
    ("place", "settings", "told"),
    [
        ("az://container/prefix", {}, "MissingAccount"),
        (
            "az://container/prefix",
            {"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_ACCOUNT_KEY": "hush!"},
            "InvalidAccessKey",
        ),
        ("s3://bucket/prefix", {"AWS_SECRET_ACCESS_KEY": "hush"}, "MissingAccessKeyId"),
        ("s3://bucket/prefix", {"AWS_ENDPOINT_URL": "hush.example"}, "AWS_ENDPOINT_URL"),
        ("gs://bucket/prefix", {"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/hush.json"}, "OpenCredentials"),
        ("gs://bucket/prefix", {"GOOGLE_SERVICE_ACCOUNT_KEY": '"hush"'}, "DecodeCredentials"),
    ],
)
def test_settings_that_no_request_can_be_made_with_are_refused_without_showing_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, settings: dict[str, str], told: str
) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "STORAGE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))  # no settings but these
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Refusal, match="MLP4411") as refused:
        open_workspace(str(tmp_path), place, "p")
    said = str(refused.value.diagnostics)
    assert told in said
    assert "hush" not in said


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_revision_of_the_project(tmp_path: Path) -> None:
    assert git_revision(str(tmp_path)) == ""
    git(tmp_path, "init", "-q")
    assert git_revision(str(tmp_path)) == ""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "mlplan.yaml").write_text("version: 1\n")
    (tmp_path / "other").write_text("")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert git_revision(str(tmp_path / "project")) == commit
    (tmp_path / "other").write_text("changed")
    (tmp_path / "project" / "untracked").write_text("")
    assert git_revision(str(tmp_path / "project")) == commit
    (tmp_path / "project" / "mlplan.yaml").write_text("version: 2\n")
    assert git_revision(str(tmp_path / "project")) == f"{commit}+"


def test_without_git_there_is_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_revision(str(tmp_path)) == ""
