"""A project's workspace moved from its folder to a bucket, and taken out to a file, by the command line."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from object_stores import Proxy, azure, azure_server, proxy, s3, s3_server

from .test_buckets import PROJECT, SCRIPT, command, make, read

__all__ = ["azure", "azure_server", "proxy", "s3", "s3_server"]

pytestmark = pytest.mark.buckets


def project(folder: Path, place: str = ".mlplan") -> Path:
    files = {"mlplan.yaml": PROJECT.replace("PLACE", place), "code/sum.py": SCRIPT, "data/one.txt": "1"}
    make(folder, {name: text.encode() for name, text in files.items()})
    return folder


def done(folder: Path, *words: str) -> str:
    ended = command(folder, *words)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def in_step(folder: Path) -> None:
    done(folder, "plan", "--detailed-exitcode")


@pytest.mark.parametrize("cloud", ["s3", "azure"])
def test_a_workspace_is_moved_to_a_bucket(cloud: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    place, ann = request.getfixturevalue(cloud), project(tmp_path / "ann")
    done(ann, "apply", "-y")
    before = json.loads(done(ann, "show", "--format", "json"))
    moved = command(ann, "workspace", "migrate", place, "-y")
    assert "note:" not in moved.stderr  # nothing that the log speaks of was lacking
    assert moved.returncode == 0, moved.stderr
    assert "is what its digests say" in moved.stderr
    assert f"workspace: {place}" in moved.stderr

    for words in (["apply", "-y"], ["plan"], ["gc", "-y"]):
        refused = command(ann, *words)
        assert refused.returncode == 1
        assert "MLP4006" in refused.stderr
        assert f"workspace: {place}" in refused.stderr
    assert json.loads(done(ann, "show", "--format", "json"))["resources"] == before["resources"]
    assert f"moved the workspace to {place}" in done(ann, "history")
    assert json.loads(done(ann, "workspace", "show", "--format", "json"))["moved"] == place

    project(ann, place)
    in_step(ann)
    bob = project(tmp_path / "bob", place)
    in_step(bob)
    assert json.loads(done(bob, "show", "--format", "json"))["lineage"] == before["lineage"]
    make(bob, {"data/two.txt": b"2"})
    done(bob, "apply", "-y")
    done(bob, "model", "download", "total:2", "-t", str(tmp_path / "model"))
    assert read(str(tmp_path / "model")) == {"total.txt": b"3"}


def methods_since_first_get(proxy: Proxy) -> list[str]:
    """What a process asked, which reads before it writes; what came before that is another one's."""
    methods = [method for method, _ in proxy.requests]
    return methods[methods.index("GET") :] if "GET" in methods else []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_move_that_was_cut_off_goes_on(proxy: Proxy, s3: str, tmp_path: Path, number: signal.Signals) -> None:
    ann = project(tmp_path / "ann")
    done(ann, "apply", "-y")
    words = [sys.executable, "-m", "mlplan", "-C", str(ann), "workspace", "migrate", s3, "-y"]
    proxy.delay_s = 0.05
    for patience in range(3):
        proxy.requests.clear()
        cut = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while cut.poll() is None and methods_since_first_get(proxy).count("PUT") <= patience:
            time.sleep(0.001)
        cut.send_signal(number)
        _, said = cut.communicate(timeout=60)
        assert number is signal.SIGKILL or ("the same command goes on" in said and cut.returncode == 130), said
    proxy.delay_s = 0
    done(ann, "workspace", "migrate", s3, "-y")
    assert "already" in command(ann, "workspace", "migrate", s3, "-y").stderr
    in_step(project(ann, s3))
    in_step(project(tmp_path / "bob", s3))


def test_a_bucket_in_which_another_project_is_at_home_is_left_alone(s3: str, tmp_path: Path) -> None:
    bob = project(tmp_path / "bob", s3)
    done(bob, "apply", "-y")
    ann = project(tmp_path / "ann")
    done(ann, "apply", "-y")
    refused = command(ann, "workspace", "migrate", s3, "-y")
    assert refused.returncode == 1
    assert "MLP4007" in refused.stderr
    in_step(bob)
    in_step(ann)


def test_a_workspace_is_taken_out_of_a_bucket_in_a_file(s3: str, tmp_path: Path) -> None:
    ann = project(tmp_path / "ann", s3)
    done(ann, "apply", "-y")
    done(ann, "workspace", "export", str(tmp_path / "archive.zip"))
    bob = project(tmp_path / "bob")
    done(bob, "workspace", "import", str(tmp_path / "archive.zip"))
    in_step(bob)
    done(bob, "model", "download", "total:1", "-t", str(tmp_path / "model"))
    assert read(str(tmp_path / "model")) == {"total.txt": b"1"}
    done(bob, "workspace", "import", str(tmp_path / "archive.zip"))
    make(bob, {"data/two.txt": b"2"})
    done(bob, "apply", "-y")
    refused = command(bob, "workspace", "import", str(tmp_path / "archive.zip"))
    assert "MLP4007" in refused.stderr


def test_nothing_is_exported_where_nothing_was_recorded(tmp_path: Path) -> None:
    ann = project(tmp_path / "ann")
    for words, told in (
        (["export", str(tmp_path / "all.zip")], "MLP4009"),
        (["import", str(tmp_path / "all.zip")], "there is no such file"),
    ):
        refused = command(ann, "workspace", *words)
        assert refused.returncode == 1
        assert told in " ".join(refused.stderr.split())  # wherever it was wrapped
    assert not (tmp_path / "all.zip").exists()


def test_the_old_folder_can_be_removed_after_a_move(s3: str, tmp_path: Path) -> None:
    ann = project(tmp_path / "ann")
    done(ann, "apply", "-y")
    done(ann, "workspace", "migrate", s3, "-y")
    shutil.rmtree(ann / ".mlplan")
    in_step(project(ann, s3))
