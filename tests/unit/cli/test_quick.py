"""The quick reading of `mlplan plan`: it agrees with typer's, or leaves the words to it."""

from __future__ import annotations

import pytest

from mlplan.cli import commands
from mlplan.cli import plan as plan_command
from mlplan.cli.globals import Globals
from mlplan.cli.planning import PlanOptions
from mlplan.cli.quick import read_plan
from mlplan.errors import ExitCode

KNOWN = [
    ["plan"],
    ["plan", "--detailed-exitcode"],
    ["plan", "--no-refresh", "--format", "json"],
    ["-C", "there", "plan"],
    ["-f", "other.yaml", "--profile", "prod", "plan", "--format", "text"],
    ["--var", "a=1", "--var", "b=x=y", "plan"],
    ["plan", "--base", "origin/main", "--format", "markdown", "--fail-on", "contract,destructive"],
    ["plan", "--with-state", "--base", "main", "--out", "plan.json"],
]


@pytest.mark.parametrize("words", KNOWN)
def test_it_reads_as_typer_does(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Globals, PlanOptions]] = []

    def run(options: Globals, asked: PlanOptions) -> ExitCode:
        seen.append((options, asked))
        return ExitCode.OK

    monkeypatch.setattr(plan_command, "run", run)
    assert commands.run_typer(words) == 0
    assert [read_plan(words)] == seen


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["apply"],
        ["plan", "--help"],
        ["plan", "--format", "yaml"],
        ["plan", "--out"],
        ["plan", "--fail-on", ""],
        ["plan", "--base", "--detailed-exitcode"],
        ["plan", "--base=main"],
        ["--var", "a", "plan"],
        ["--var", "=a", "plan"],
        ["--var", "==", "plan"],
        ["--nonsense", "plan"],
        ["-C"],
        ["-C", "plan"],
        ["--profile", "", "plan"],
        ["plan", "--base", ""],
    ],
)
def test_it_leaves_to_typer_what_it_does_not_know(words: list[str]) -> None:
    assert read_plan(words) is None
