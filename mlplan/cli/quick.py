"""Reads the well-known flags of `mlplan plan` without typer: see `main.py` for why.

It reads what it knows for certain and gives up on everything else: a flag with another spelling, `--help`, another
command. Pure. A test holds it against typer's reading.
"""

from __future__ import annotations

from typing import Any

from mlplan.cli.globals import Globals
from mlplan.cli.planning import PlanOptions

GLOBAL_VALUES = {"-C": "directory", "-f": "file", "--profile": "profile"}
PLAN_FLAGS = {
    "--detailed-exitcode": ("detailed_exitcode", True),
    "--no-refresh": ("refresh", False),
    "--with-state": ("with_state", True),
}
PLAN_VALUES = {"--base": "base", "--fail-on": "fail_on", "--out": "out"}
FORMATS = ("text", "json", "markdown", "html")


def read_plan(words: list[str]) -> tuple[Globals, PlanOptions] | None:
    """The options of a plain `mlplan plan`, or None where that isn't what the words say."""
    before: dict[str, Any] = {}
    variables: list[tuple[str, str]] = []
    position = 0
    while position + 1 < len(words) and words[position] != "plan":
        option, value = words[position], words[position + 1]
        if option in GLOBAL_VALUES and value:
            before[GLOBAL_VALUES[option]] = value
        elif option == "--var" and value.find("=") > 0:
            name, _, text = value.partition("=")
            variables.append((name, text))
        else:
            return None
        position += 2
    if words[position : position + 1] != ["plan"]:
        return None
    after = _plan_flags(words[position + 1 :])
    return None if after is None else (Globals(**before, variables=tuple(variables)), PlanOptions(**after))


def _plan_flags(words: list[str]) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        if word in PLAN_FLAGS:
            name, value = PLAN_FLAGS[word]
            found[name] = value
        elif word == "--format" and (form := next(rest, "")) in FORMATS:
            found["format"] = form
        elif word in PLAN_VALUES and (text := next(rest, "-")) and not text.startswith("-"):
            found[PLAN_VALUES[word]] = text
        else:
            return None
    return found
