"""What pages show is what a user sees: the examples' commands, typed as they stand, print what stands there."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import EXAMPLES, Copy
from .project import MLPLAN, Project

ASKED = re.compile(r"^.*\[y/N\] y$", re.MULTILINE)
"""A question and its answer. Here nobody can answer: the commands that ask are given `-y`."""

MEASURED = re.compile(r"\b\d+ min \d+ s|\b\d+(\.\d+)? (ms|s|MB)\b|\b0\.\d+")
"""What differs from machine to machine: times, memory, the last digits of a metric."""


def shown(page: str) -> Iterator[tuple[str, str]]:
    """The commands of a page, each with what is shown below it; `...` stands for anything."""
    for block in re.findall(r"^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, ASKED.sub("...", output)


def typed(project: Project, command: str) -> str:
    """What a line of shell prints, on both streams."""
    asks = command.startswith("mlplan") and command.endswith(("apply", "destroy"))
    done = subprocess.run(
        ["bash", "-c", f"{command} -y" if asks else command],
        cwd=project.folder,
        env={**project.env, "PATH": f"{os.path.dirname(MLPLAN)}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}"
    return done.stdout


def is_shown(output: str, printed: str) -> bool:
    wanted, got = MEASURED.sub("#", output), MEASURED.sub("#", printed)
    return doctest.OutputChecker().check_output(wanted, got, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)


@pytest.mark.parametrize("name", sorted(name for name in os.listdir(EXAMPLES) if (EXAMPLES / name).is_dir()))
def test_a_page_shows_what_is_printed(name: str, copy: Copy, request: pytest.FixtureRequest) -> None:
    variables = {"mnist_url": request.getfixturevalue("mnist_url")} if name == "mnist" else {}
    project = copy(name, **variables)
    page = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    commands = list(shown(re.sub(r"(?<=127\.0\.0\.1:)\d+", str(project.port), page)))
    assert any("apply" in command for command, _ in commands)
    for command, output in commands:
        printed = typed(project, command)
        assert is_shown(output, printed), f"$ {command}\n{printed}\n--- the page shows\n{output}"


def test_the_script_of_a_first_project_runs_without_mlplan(tmp_path: Path) -> None:
    page = (EXAMPLES.parent / "docs" / "first-project.md").read_text(encoding="utf-8")
    (tmp_path / "train.py").write_text(page.split("```python\n")[1].split("```")[0])
    (tmp_path / "sales.csv").write_text("1\n2\n4\n")
    command = [sys.executable, "-I", "train.py", "--data", ".", "--rate", "0.1"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert (tmp_path / "outputs" / "metrics.json").read_text() == '{"rows": 3}'
    assert (tmp_path / "outputs" / "model.pkl").exists()
