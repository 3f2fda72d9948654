"""Writes what is made from the code: the schemas, and the pages of `docs/reference/`. Run by `make docs`.

`tests/unit/test_docs.py` fails while what is committed isn't what this makes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from textwrap import dedent
from typing import Any, get_args, get_type_hints

from typer.main import get_command

from mlplan.address import KINDS
from mlplan.cli.commands import app
from mlplan.codes import PHASES, every_code, page
from mlplan.errors import ExitCode
from mlplan.manifest import schema
from mlplan.views import schema as published

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NOTE = "<!-- Made by `make docs`; what is changed here is lost. -->\n\n"


def pages() -> dict[str, str]:
    """Every generated page: its text by its path from the project's root."""
    return {
        "docs/reference/commands.md": commands(),
        "docs/reference/codes.md": codes(),
        "docs/reference/manifest.md": manifest(schema.manifest_schema()),
    }


def commands() -> str:
    lines = [NOTE + "# Commands\n", "`mlplan [OPTIONS] COMMAND [OPTIONS]`. Every command has `--help`.\n"]
    for names, command in every_command(get_command(app), ("mlplan",)):
        lines.append(f"## `{' '.join(names)}`\n\n{' '.join((command.help or '').split())}\n")
        if command.epilog:
            lines.append(f"```\n{dedent(command.epilog.partition('Examples:')[2].strip(chr(10)))}\n```\n")
        if shown := [parameter for parameter in command.params if parameter.name not in LEFT_OUT]:
            hints = get_type_hints(command.callback, include_extras=True)
            lines += ["| | what |", "| --- | --- |", *(line_of(each, hints[each.name]) for each in shown), ""]
    lines.append("## Exit codes\n\n| code | name | meaning |\n| --- | --- | --- |")
    lines += [f"| {int(code)} | {code.name.lower().replace('_', ' ')} | {MEANINGS[code]} |" for code in ExitCode]
    return "\n".join(lines) + "\n"


MEANINGS = {
    ExitCode.OK: "Done. For `plan`: nothing to do, or no `--detailed-exitcode`.",
    ExitCode.FAILED: "It failed, or the command line or the manifest is wrong. The message says what to do.",
    ExitCode.CHANGES: "`plan --detailed-exitcode`: there are changes.",
    ExitCode.REFUSED: "A gate isn't met, or `--fail-on` names the impact of a change.",
    ExitCode.PARTIAL: "Applied in part; `mlplan apply` goes on from there.",
    ExitCode.DRIFT: "`plan --detailed-exitcode`: nothing was edited, but the world has changed.",
    ExitCode.BUSY: "Another apply holds the workspace; `--lock-timeout` waits for it.",
    ExitCode.STALE: "Something moved since the plan file was written: make it anew.",
    ExitCode.NOT_CONVERGED: "Applied, but a plan after it isn't empty; the message names the fields.",
    ExitCode.BUG: "A bug in mlplan, with a file to attach to an issue.",
    ExitCode.INTERRUPTED: "Interrupted, by Ctrl-C say.",
}
"""What each exit code tells a script."""

LEFT_OUT = ("help", "install_completion", "show_completion")


def line_of(parameter: Any, hint: Any) -> str:
    """An option with its spellings and choices, or an argument; `hint` is how the function of the command says it."""
    value, said = get_args(hint)[:2]
    if parameter.param_type_name == "argument":
        called = parameter.metavar or parameter.name.upper()
        called = called if parameter.required else f"[{called}]"
    else:
        enums = [one for one in (value, *get_args(value)) if isinstance(one, type) and issubclass(one, Enum)]
        choices = "|".join(enums[0].__members__) if enums else "VALUE"
        spelt = ", ".join([*parameter.opts, *parameter.secondary_opts])
        called = spelt if parameter.is_flag else f"{spelt} {parameter.metavar or choices}"
    cells = (f"`{called}`", " ".join((said.help or "").split()))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def every_command(command: Any, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield names, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from every_command(inner, (*names, name))


def codes() -> str:
    lines = [
        NOTE + "# Codes\n\nWhat each diagnostic means, and what to do. `mlplan explain CODE` prints one of these.\n"
    ]
    heading = ""
    for code in every_code():
        phase = PHASES[int(code.code[3]) - 1].capitalize()
        lines += [f"## {phase}\n"] if phase != heading else []
        lines.append(f"### {code.code}: {code.summary}\n\n{page(code.code).rstrip()}\n")
        heading = phase
    return "\n".join(lines)


def manifest(whole: Mapping[str, Any]) -> str:
    """The manifest's fields, section by section, from its schema."""
    lines = [NOTE + f"# The manifest\n\n{whole.get('description', '')}\n"]
    lines += table(whole)
    definitions = whole["$defs"]
    first = [name.capitalize() for name in ("variable", *KINDS, "moved", "profile")]
    for name in [*first, *(name for name in definitions if name not in first)]:
        definition = definitions[name]
        if not name.endswith("Overlay"):
            lines += [f"## {name}\n", f"{definition.get('description', '')}\n", *table(definition)]
    return "\n".join(lines)


def table(definition: Mapping[str, Any]) -> list[str]:
    required = set(definition.get("required", ()))
    lines = ["| field | what | default |", "| --- | --- | --- |"]
    fields = {name: field for name, field in definition["properties"].items() if isinstance(field, dict)}
    for name, field in fields.items():
        default = "required" if name in required else f"`{field['default']}`" if field.get("default") else ""
        lines.append(f"| `{name}` | {' '.join(field.get('description', '').split())} | {default} |")
    return [*lines, ""]


def main() -> int:
    schema.main()
    published.main()
    for path, text in pages().items():
        with open(os.path.join(ROOT, path), "w", encoding="utf-8") as stream:
            stream.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
