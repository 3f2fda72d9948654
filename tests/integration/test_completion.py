"""What a shell is offered for a half-typed line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .project import MLPLAN, Project

MANIFEST = """\
version: 1
project: offered
compute: {here: {type: local}}
dataset: {digits: {source: "*.csv"}}
run: {train: {compute: here, command: ["true"]}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(str(tmp_path))
    made.write("mlplan.yaml", MANIFEST)
    made.write("a.csv", "1\n")
    return made


def offered(project: Project, line: str, where: str | None = None) -> list[str]:
    """What bash is offered for the last word of a line."""
    asked = {"_MLPLAN_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    done = subprocess.run(
        [MLPLAN],
        cwd=where or project.folder,
        env={**project.env, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mlplan app", ["apply"]),
        ("mlplan explain ", ["compute.here", "dataset.digits", "run.train"]),
        ("mlplan explain run.", ["run.train"]),
        ("mlplan explain MLP8002", ["MLP8002"]),
        ("mlplan plan --only d", ["dataset.digits"]),
        ("mlplan apply --replace r", ["run.train"]),
        ("mlplan run logs ", ["train"]),
        ("mlplan dataset show ", ["digits"]),
        ("mlplan service keys show ", []),
        ("mlplan init --template p", ["pipeline"]),
    ],
)
def test_what_is_declared_is_offered(line: str, words: list[str], project: Project) -> None:
    assert offered(project, line) == words


def test_the_project_that_the_line_names_is_meant(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = str(tmp_path_factory.mktemp("elsewhere"))
    assert offered(project, f"mlplan -C {project.folder} show r", elsewhere) == ["run.train"]
    assert offered(project, "mlplan show r", elsewhere) == []


def test_a_broken_manifest_offers_nothing_and_says_nothing(project: Project) -> None:
    project.write("mlplan.yaml", MANIFEST + "run: [\n")
    assert offered(project, "mlplan show ") == []
