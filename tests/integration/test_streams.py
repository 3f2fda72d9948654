"""Standard streams that are closed, full, narrow, or that nobody reads: no traceback, and the work is done all the
same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .project import MLPLAN, Project

MANIFEST = """\
version: 1
project: streams
compute: {here: {type: local}}
run:
  train: {compute: here, command: [sh, -c, "echo one; echo two"]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(str(tmp_path))
    made.write("mlplan.yaml", MANIFEST)
    return made


def shell(project: Project, command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs a line of shell, where `mlplan` is the command under test."""
    there = {**project.env, "PATH": f"{os.path.dirname(MLPLAN)}{os.pathsep}{os.environ['PATH']}", **env}
    return subprocess.run(
        ["bash", "-c", command], cwd=project.folder, env=there, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("mlplan plan --detailed-exitcode >&-", 2),
        ("mlplan plan --detailed-exitcode 2>&-", 2),
        ("mlplan validate >&- 2>&- <&-", 0),
        ("mlplan show nothing 2>&-", 1),
        ("mlplan apply <&-", 1),
        ("mlplan apply -y >&- 2>&- <&-", 0),
    ],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_closed_streams(project: Project, command: str, code: int, unbuffered: str) -> None:
    done = shell(project, command, PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "MLP9001" not in done.stderr


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_apply_goes_on_where_nobody_reads(project: Project, form: str, unbuffered: str) -> None:
    done = shell(
        project,
        f"mlplan apply -y --format {form} 2>&1 | true; echo ${{PIPESTATUS[0]}}",
        PYTHONUNBUFFERED=unbuffered,
    )
    assert done.stdout == "0\n"
    listed = json.loads(project.mlplan("run", "list", "--format", "json").out)
    assert [run["status"] for run in listed] == ["Completed"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_in_a_log_the_plan_stands_before_what_is_done(project: Project, unbuffered: str) -> None:
    done = shell(project, "mlplan apply -y 2>&1; mlplan destroy -y 2>&1", PYTHONUNBUFFERED=unbuffered)
    order = ["Plan: 1 to run, 1 to create.", "apply streams: 2 changes", "Plan: 2 to delete.", "run.train: deleted"]
    places = [done.stdout.index(text) for text in order]
    assert places == sorted(places)


@pytest.mark.parametrize("command", ["plan --detailed-exitcode", "plan --out mlplan-plan.json --detailed-exitcode"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_plan_that_nobody_reads_keeps_its_word(project: Project, command: str, unbuffered: str) -> None:
    done = shell(project, f"mlplan {command} | true; echo ${{PIPESTATUS[0]}}", PYTHONUNBUFFERED=unbuffered)
    assert done.stdout == "2\n"
    assert done.stderr == ""
    assert os.path.exists(f"{project.folder}/mlplan-plan.json") == ("--out" in command)


@pytest.mark.parametrize(
    "command",
    ["plan", "run list", "schema manifest", "explain MLP3101", "--help", "plan -h", "run show --help", "--version"],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_stdout_is_told(project: Project, command: str, unbuffered: str) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    done = shell(project, f"mlplan {command} >/dev/full", PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 1
    assert done.stderr == "error: standard output can't be written: no space left on device.\n"


def test_what_an_encoding_lacks_is_written_otherwise(project: Project) -> None:
    done = shell(project, "mlplan plan", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "\\u25b8 run       run.train" in done.stdout


def test_an_interrupt_while_it_is_loaded_ends_it_without_a_word(project: Project) -> None:
    interrupting = (
        "import os, signal, sys\n"
        "from mlplan.__main__ import main\n"
        "class Finder:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'mlplan.cli.main':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", interrupting], cwd=project.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGINT
    assert done.stderr == ""
