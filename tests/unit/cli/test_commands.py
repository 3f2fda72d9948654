"""What typer makes of the commands: the examples in their help are command lines, and what it writes is written."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from mlplan.cli.commands import app, run_typer


def test_completion_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("bash", "/bin/bash"))
    with pytest.raises(SystemExit):
        run_typer(["--show-completion"])
    assert "complete -o default -F _mlplan_completion mlplan" in capsys.readouterr().out


def leaves(command: Any, *names: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that call it."""
    inner = getattr(command, "commands", {})
    for name, one in inner.items():
        yield from leaves(one, *names, name)
    if not inner:
        yield names, command


def read(command: Any, words: list[str], parent: Any = None, name: str = "mlplan") -> list[str]:
    """The names of the commands that the words call; raises what typer does where they are wrong."""
    context = command.make_context(name, words, parent=parent)
    if not getattr(command, "commands", {}):
        return []
    called, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    return [called, *read(inner, rest, context, called)]


@pytest.mark.parametrize("names", [names for names, _ in leaves(get_command(app))], ids=" ".join)
def test_examples_are_command_lines(names: tuple[str, ...]) -> None:
    command = dict(leaves(get_command(app)))[names]
    _, heading, *lines = (command.epilog or "").splitlines() or ["", ""]
    assert heading == "Examples:"
    for line in lines:
        assert len(line) <= 78  # two cells are put before it
        words = shlex.split(line.partition("  #")[0].partition(" > ")[0])
        assert words[0] == "mlplan"
        assert tuple(read(get_command(app), words[1:])) == names


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["-C", "", "plan"], "-C"),
        (["-f", "", "plan"], "-f"),
        (["--profile", "", "apply", "-y"], "--profile"),
        (["plan", "--base", ""], "--base"),
        (["plan", "--out", ""], "--out"),
        (["apply", "", "-y"], "PLANFILE"),
    ],
)
def test_nothing_is_not_taken_for_what_is_left_out(
    words: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script's `--profile "$UNSET"` would do all to another project than is meant."""
    assert run_typer(words) == 1
    told = capsys.readouterr().err
    assert named in told
    assert "nothing is given" in told
