"""What mlplan tells its user to type next works as it stands there, for whoever pastes it into a shell."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from .project import MLPLAN

MANIFEST = """\
version: 1
project: hints
variables: {rate: {type: number}}
compute: {here: {type: local}}
run:
  train: {compute: here, command: [SHELL, train.sh, "${{ var.rate }}"]}
  other: {compute: here, command: [SHELL, other.sh]}
profiles:
  trial: {run: {train: {env: {TRIAL: "1"}}}}
"""
CALL = "mlplan -C 'my project' -f it.yaml --profile trial --var rate=0.1"


class Shell:
    """A user beside the project's folder, who types and pastes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        here = os.path.dirname(MLPLAN)
        self.env = {**os.environ, "PATH": f"{here}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "60"}

    def type(self, command: str, code: int) -> tuple[str, list[str]]:
        """What it prints on both streams, and the commands that stand there to be copied."""
        done = subprocess.run(
            command, shell=True, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout
        lines = re.findall(r"^ {2,6}(mlplan .*?)(?: +#.*)?$", done.stdout, re.MULTILINE)
        return done.stdout, list(dict.fromkeys(lines))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    project = tmp_path / "my project"
    project.mkdir()
    (project / "it.yaml").write_text(MANIFEST.replace("SHELL", shlex.quote("/bin/sh")))
    (project / "train.sh").write_text('echo "trial $TRIAL, rate $1"; exit 3')
    (project / "other.sh").write_text("exit 0")
    return Shell(tmp_path)


def test_the_way_from_a_refusal_to_the_end(shell: Shell) -> None:
    _, hints = shell.type(f"{CALL} apply --only run.train", 1)
    assert hints == [f"{CALL} apply --only run.train -y"]

    said, hints = shell.type(hints[0], 4)
    assert "trial 1, rate 0.1" in said
    assert hints == [f"{CALL} run logs train", f"{CALL} apply --only run.train"]

    said, _ = shell.type(hints[0], 0)
    assert said == "trial 1, rate 0.1\n"
    (shell.folder / "my project" / "train.sh").write_text("exit 0")
    shell.type(f"{hints[1]} -y", 0)
    listed, _ = shell.type(f"{CALL} run list", 0)
    assert "other" not in listed
    _, hints = shell.type(f"{CALL} run show train", 0)
    said, _ = shell.type(hints[0], 0)
    assert said.endswith(" printed nothing.\n")

    _, hints = shell.type(f"{CALL} destroy --only run.train", 1)
    assert hints == [f"{CALL} destroy --only run.train -y"]
    shell.type(hints[0], 0)


def test_what_failed_to_be_made_anew_is_asked_for_again(shell: Shell) -> None:
    script = shell.folder / "my project" / "train.sh"
    script.write_text("exit 0")
    shell.type(f"{CALL} apply -y", 0)
    command = shell.folder / "my project" / "other.sh"
    command.write_text("exit 0")
    script.write_text("exit 0 # with another comment")
    _, hints = shell.type(f"{CALL} apply --replace run.other --only run.other", 1)
    assert hints == [f"{CALL} apply --only run.other --replace run.other -y"]
    command.write_text("exit 4")
    _, hints = shell.type(hints[0], 1)
    assert hints == [f"{CALL} apply --only run.other --replace run.other"]
    command.write_text("exit 0")
    shell.type(f"{hints[0]} -y", 0)


def test_a_run_that_could_not_begin_has_no_log_to_read(shell: Shell) -> None:
    # Nothing that can be executed: the run fails before its first word.
    manifest = shell.folder / "my project" / "it.yaml"
    manifest.write_text(manifest.read_text().replace("/bin/sh", "/no/such/shell"))
    said, hints = shell.type(f"{CALL} apply -y --only run.train", 4)
    assert "run.train" in said
    assert hints == [f"{CALL} apply --only run.train"]


def test_a_project_is_begun_where_the_hint_says(shell: Shell) -> None:
    _, hints = shell.type("mlplan -C 'not there' plan", 1)
    assert hints == ["mlplan -C 'not there' init"]
    said, _ = shell.type(hints[0], 0)
    assert "    cd 'not there'\n    mlplan plan\n    mlplan apply\n" in said
    shell.type("cd 'not there' && mlplan plan", 0)


@pytest.mark.parametrize("place", ["a-file", "a-file/below", "/proc/nowhere"])
def test_a_project_that_cannot_be_written_is_no_bug(shell: Shell, place: str) -> None:
    (shell.folder / "a-file").write_text("")
    said, _ = shell.type(f"mlplan init {place}", 1)
    assert said.startswith("error[MLP5019]: File can't be written")


def test_a_new_project_leaves_the_folder_to_its_owner(shell: Shell) -> None:
    (shell.folder / "mine").mkdir(mode=0o700)
    shell.type("mlplan init mine", 0)
    assert (shell.folder / "mine").stat().st_mode & 0o777 == 0o700
