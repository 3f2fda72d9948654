"""Options that several commands take, each with its help."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from mlplan.cli.completing import addresses


def examples(*lines: str) -> str:
    """The end of a command's help: lines to copy. `tests/unit/cli/test_commands.py` reads each of them."""
    return "\b\n" + "\n".join(["Examples:", *(f"  {line}" for line in lines)])  # after a \b nothing is wrapped


def given(context: typer.Context, parameter: typer.CallbackParam, value: str) -> str:
    """Refuses nothing where something was meant, as in `--profile "$UNSET"`: without a word the project as it stands
    would be taken for that profile, the state for a base, and all that is to be done for a plan file."""
    source = context.get_parameter_source(str(parameter.name))
    if not value and source is not None and source.name == "COMMANDLINE":
        raise typer.BadParameter("nothing is given. Leave it out, or say what is meant.")
    return value


class Format(str, Enum):
    """How a result is shown."""

    text = "text"
    json = "json"


Only = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ADDRESS",
        autocompletion=addresses,
        help="Only this address, `run.train` say, and what it needs. Repeatable.",
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ADDRESS", autocompletion=addresses, help="Not this address, nor what needs it. Repeatable."
    ),
]
Replace = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ADDRESS", autocompletion=addresses, help="Make this address anew, changed or not. Repeatable."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
Shown = Annotated[Format, typer.Option("--format", help="How to show it.")]
LockTimeout = Annotated[
    float,
    typer.Option(
        parser=lambda text: duration_s(text),
        metavar="TIME",
        show_default=False,
        help="How long to wait for another apply: 90s, 10m. Without it, not at all.",
    ),
]


def duration_s(text: str | float) -> float:
    """A length of time in seconds: `10m`, `1h30m`, `90s`, or a plain number of seconds."""
    from mlplan.manifest.quantities import seconds

    try:
        return float(text) if str(text).replace(".", "", 1).isdecimal() else seconds(str(text))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no length of time; write 90s, 10m or 1h30m.") from None
