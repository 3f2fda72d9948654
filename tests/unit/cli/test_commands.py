"""What typer writes by itself is written, however it ends."""

from __future__ import annotations

import pytest

from mlplan.cli.commands import run_typer


def test_completion_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("bash", "/bin/bash"))
    with pytest.raises(SystemExit):
        run_typer(["--show-completion"])
    assert "complete -o default -F _mlplan_completion mlplan" in capsys.readouterr().out
