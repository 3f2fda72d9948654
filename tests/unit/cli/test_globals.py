"""What stands before a command, and how it is spelled again."""

from __future__ import annotations

import shlex

import pytest

from mlplan.cli.globals import Globals
from mlplan.cli.quick import read_plan


@pytest.mark.parametrize(
    ("options", "call"),
    [
        (Globals(), "mlplan"),
        (Globals(directory="demo"), "mlplan -C demo"),
        (Globals("my demo", "it's.yaml", "prod"), """mlplan -C 'my demo' -f 'it'"'"'s.yaml' --profile prod"""),
        (Globals(variables=(("a", ""), ("b", "x=$y"))), "mlplan --var a= --var 'b=x=$y'"),
        (Globals(variable_files=("one.yaml", "~/two")), "mlplan --var-file one.yaml --var-file '~/two'"),
    ],
)
def test_a_call_is_spelled_for_a_shell(options: Globals, call: str) -> None:
    assert options.call == call


def test_what_is_spelled_is_read_back() -> None:
    options = Globals("Projekt Ä", "m.yaml", "prod", (("rate", "0.1 or so"), ("url", "http://x/?a=1&b=2")))
    read = read_plan([*shlex.split(options.call)[1:], "plan"])
    assert read is not None
    assert read[0] == options
