"""Every command's flags and help, by typer. What a command does stands in its own module, loaded when it runs."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Optional

import click
import typer

from mlplan import __version__
from mlplan.cli.globals import Globals
from mlplan.errors import ExitCode

app = typer.Typer(
    name="mlplan",
    help="Declare, review and apply a machine-learning project like infrastructure.\n\n"
    "One file, mlplan.yaml, says where the project computes, its data, its training runs, its models, and how and "
    "where they are served. `mlplan plan` says what would change and why; `mlplan apply` makes it so, once.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class PlanFormat(str, Enum):
    """How a plan is shown."""

    text = "text"
    json = "json"
    markdown = "markdown"
    html = "html"


class Format(str, Enum):
    """How a result is shown."""

    text = "text"
    json = "json"


class Findings(str, Enum):
    """How findings are shown."""

    text = "text"
    concise = "concise"
    json = "json"
    sarif = "sarif"
    github = "github"
    gitlab = "gitlab"
    junit = "junit"


Only = Annotated[Optional[list[str]], typer.Option(help="Only this address and what it needs. Repeatable.")]
Exclude = Annotated[Optional[list[str]], typer.Option(help="Not this address, nor what needs it. Repeatable.")]
Replace = Annotated[Optional[list[str]], typer.Option(help="Make this address anew, changed or not. Repeatable.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
Shown = Annotated[Format, typer.Option("--format", help="How to show it.")]
LockTimeout = Annotated[float, typer.Option(help="How many seconds to wait for another apply to end.")]


def run_typer(words: list[str]) -> int:
    """The exit code of the command line `words`. A wrong command line is exit code 1."""
    command = typer.main.get_command(app)
    try:
        result = command.main(args=words, prog_name="mlplan", standalone_mode=False)
    except click.exceptions.Exit as ended:
        return int(ended.exit_code)
    except click.exceptions.Abort:
        return int(ExitCode.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return int(ExitCode.FAILED)
    return int(result) if isinstance(result, int) else int(ExitCode.OK)


def show_version(wanted: bool) -> None:
    """`--version`."""
    if wanted:
        typer.echo(f"mlplan {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    directory: Annotated[str, typer.Option("-C", "--directory", help="The project's folder.")] = ".",
    file: Annotated[str, typer.Option("-f", "--file", help="The manifest, in that folder.")] = "mlplan.yaml",
    profile: Annotated[str, typer.Option(help="The profile to lay over the manifest.")] = "",
    var: Annotated[Optional[list[str]], typer.Option(metavar="NAME=VALUE", help="Sets a variable. Repeatable.")] = None,
    var_file: Annotated[
        Optional[list[str]], typer.Option(metavar="FILE", help="A YAML file that sets variables. Repeatable.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """What every command takes."""
    variables = []
    for text in var or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--var")
        variables.append((name, value))
    context.obj = Globals(directory, file, profile, tuple(variables), tuple(var_file or ()))


@app.command()
def plan(
    context: typer.Context,
    out: Annotated[str, typer.Option(metavar="FILE", help="Write the plan to FILE, for `mlplan apply FILE`.")] = "",
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 when there are changes, 5 when there is drift alone.")
    ] = False,
    no_refresh: Annotated[
        bool, typer.Option("--no-refresh", help="Don't ask the world whether it still is as recorded.")
    ] = False,
    base: Annotated[
        str, typer.Option(metavar="REV", help="Compare with this git revision, without state: what this change adds.")
    ] = "",
    only: Only = None,
    exclude: Exclude = None,
    replace: Replace = None,
    fail_on: Annotated[
        str, typer.Option(metavar="IMPACT,...", help="Exit 3 when a change has one of these impacts.")
    ] = "",
    form: Annotated[PlanFormat, typer.Option("--format", help="How to show it.")] = PlanFormat.text,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show what doesn't change, too.")] = False,
) -> int:
    """Say what an apply would do, and why. Changes nothing, runs none of your code, needs no network."""
    from mlplan.cli import plan as command

    asked = command.PlanOptions(
        out, detailed_exitcode, not no_refresh, base, tuple(only or ()), tuple(exclude or ()), tuple(replace or ()),
        form.value, verbose, fail_on,
    )  # fmt: skip
    return command.run(context.obj, asked)


@app.command()
def apply(
    context: typer.Context,
    plan_file: Annotated[str, typer.Argument(metavar="[PLANFILE]", help="Exactly this plan, or none.")] = "",
    yes: Yes = False,
    only: Only = None,
    exclude: Exclude = None,
    replace: Replace = None,
    lock_timeout: LockTimeout = 0.0,
    form: Shown = Format.text,
) -> int:
    """Make it so: train, register, deploy. What is done already isn't done again.

    Shows the plan and asks, unless -y is given. Interrupted or killed, the next apply goes on where this one was.
    """
    from mlplan.cli import apply as command

    asked = command.ApplyOptions(
        plan_file, yes, tuple(only or ()), tuple(exclude or ()), tuple(replace or ()), lock_timeout, form.value
    )
    return command.run(context.obj, asked)


def _command(module: str, *arguments: Any) -> int:
    import importlib

    return int(importlib.import_module(f"mlplan.cli.{module}").run(*arguments))
