"""Every command's flags and help, by typer. What a command does stands in its own module, loaded when it runs.

Those of two words, such as `run list`, stand in `subcommands.py`; options that several take, in `options.py`.
"""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from enum import Enum
from typing import Annotated, Any

import typer

from mlplan import __version__
from mlplan.cli.completing import addresses, addresses_or_codes, template_names
from mlplan.cli.globals import Globals, called_with, say
from mlplan.cli.options import Exclude, Format, LockTimeout, Only, Replace, Shown, Yes, examples, given
from mlplan.cli.subcommands import dataset_app, model_app, run_app, service_app, workspace_app
from mlplan.errors import ExitCode

app = typer.Typer(
    name="mlplan",
    help="Declare, review and apply a machine-learning project like infrastructure.\n\n"
    "One file, mlplan.yaml, says where the project computes, its data, its training runs, its models, and how and "
    "where they are served. `mlplan plan` says what would change and why; `mlplan apply` makes it so, once.",
    epilog=examples("mlplan init my-project", "mlplan -C my-project plan", "mlplan -C my-project apply"),
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


# Newer versions of typer carry click inside, older ones import it: this finds its base of errors in both.
WrongCommandLine: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


class PlanFormat(str, Enum):
    """How a plan is shown."""

    text = "text"
    json = "json"
    markdown = "markdown"
    html = "html"


class Forge(str, Enum):
    """Where pull requests are made."""

    github = "github"
    gitlab = "gitlab"


class Findings(str, Enum):
    """How findings are shown."""

    text = "text"
    concise = "concise"
    markdown = "markdown"
    json = "json"
    sarif = "sarif"
    github = "github"
    gitlab = "gitlab"
    junit = "junit"


WRITTEN_BY_TYPER = frozenset(["-h", "--help", "--version", "--show-completion"])


def run_typer(words: list[str]) -> int:
    """The exit code of the command line `words`. A wrong command line is exit code 1.

    What typer itself would write is said as any command's output is: where nobody takes it, that is told, not a bug.
    """
    if WRITTEN_BY_TYPER.isdisjoint(words):
        return run_command(words)
    written = io.StringIO()
    try:
        with redirect_stdout(written):
            return run_command(words)
    finally:  # `--show-completion` ends by SystemExit
        if written.getvalue():
            say(written.getvalue())


def run_command(words: list[str]) -> int:
    """The exit code of the command line `words`, read by typer."""
    command = typer.main.get_command(app)
    try:
        result = command.main(args=words, prog_name="mlplan", standalone_mode=False)
    except typer.Exit as ended:
        return int(ended.exit_code)
    except typer.Abort:
        return int(ExitCode.INTERRUPTED)
    except WrongCommandLine as error:
        error.show()
        misplaced = getattr(error, "option_name", "")
        if misplaced in ("-C", "--directory", "-f", "--file", "--profile", "--var", "--var-file"):
            typer.echo(f"`{misplaced}` goes for every command: write it before the command's name.", err=True)
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
    directory: Annotated[
        str, typer.Option("-C", "--directory", metavar="DIR", callback=given, help="The project's folder.")
    ] = ".",
    file: Annotated[
        str, typer.Option("-f", "--file", metavar="FILE", callback=given, help="The manifest, in that folder.")
    ] = "mlplan.yaml",
    profile: Annotated[
        str, typer.Option(metavar="NAME", callback=given, help="The profile to lay over the manifest.")
    ] = "",
    var: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Sets a variable. Repeatable.")] = None,
    var_file: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="A YAML file that sets variables. Repeatable.")
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
    called_with(context.obj)


@app.command(
    epilog=examples(
        "mlplan plan",
        "mlplan plan --only run.train",
        "mlplan plan --out mlplan-plan.json  # then: mlplan apply mlplan-plan.json",
        "mlplan plan --base origin/main      # what merging this branch would do",
        "mlplan plan --format html > plan.html",
    )
)
def plan(
    context: typer.Context,
    out: Annotated[
        str, typer.Option(metavar="FILE", callback=given, help="Write the plan to FILE, for `mlplan apply FILE`.")
    ] = "",
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 when there are changes, 5 when there is drift alone.")
    ] = False,
    no_refresh: Annotated[
        bool, typer.Option("--no-refresh", help="Don't ask the world whether it still is as recorded.")
    ] = False,
    base: Annotated[
        str,
        typer.Option(
            metavar="REV",
            callback=given,
            help="Compare two commits, this one and where it left REV: what this change adds. Needs no state, no "
            "credentials and no network.",
        ),
    ] = "",
    with_state: Annotated[
        bool,
        typer.Option(
            "--with-state",
            help="With --base: plan on the state, and say of each change whether this change adds it, it was pending "
            "on REV already, or it mends drift.",
        ),
    ] = False,
    only: Only = None,
    exclude: Exclude = None,
    replace: Replace = None,
    fail_on: Annotated[
        str,
        typer.Option(
            metavar="IMPACT,...",
            help="Exit 3 when a change has one of these impacts: cosmetic, serve-only, retrain, contract, "
            "destructive.",
        ),
    ] = "",
    form: Annotated[PlanFormat, typer.Option("--format", help="How to show it.")] = PlanFormat.text,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show what doesn't change, too.")] = False,
) -> int:
    """Say what an apply would do, and why. Changes nothing, runs none of your code, needs no network."""
    from mlplan.cli import plan as command

    asked = command.PlanOptions(
        out, detailed_exitcode, not no_refresh, base, tuple(only or ()), tuple(exclude or ()), tuple(replace or ()),
        form.value, verbose, fail_on, with_state,
    )  # fmt: skip
    return command.run(context.obj, asked)


@app.command(
    epilog=examples(
        "mlplan apply",
        "mlplan apply -y --lock-timeout 10m  # in a job, where nobody can answer",
        "mlplan apply --replace run.train    # trains again, changed or not",
        "mlplan --var regularization=0.5 apply",
    )
)
def apply(
    context: typer.Context,
    plan_file: Annotated[
        str,
        typer.Argument(metavar="PLANFILE", callback=given, help="Exactly this plan of `mlplan plan --out`, or none."),
    ] = "",
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


@app.command(epilog=examples("mlplan destroy", "mlplan destroy --only deployment.digits"))
def destroy(
    context: typer.Context,
    yes: Yes = False,
    only: Only = None,
    lock_timeout: LockTimeout = 0.0,
    form: Shown = Format.text,
) -> int:
    """Remove from the world all that was applied. Services end, ports are free.

    Says beforehand what is lost. Versions and artifacts stay in the workspace until `mlplan gc`.
    """
    from mlplan.cli import destroy as command

    return command.run(context.obj, command.DestroyOptions(yes, tuple(only or ()), lock_timeout, form.value))


@app.command(epilog=examples("mlplan validate", "mlplan validate --format sarif > mlplan.sarif"))
def validate(
    context: typer.Context,
    form: Annotated[Findings, typer.Option("--format", help="How to show what is found.")] = Findings.text,
) -> int:
    """Check the manifest and all that it refers to. Tells everything that is wrong at once."""
    from mlplan.cli import validate as command

    return command.run(context.obj, form.value)


@app.command(
    epilog=examples(
        "mlplan init my-project",
        "mlplan init --list",
        "mlplan init my-project --template pipeline",
        "mlplan init --ci github",
    )
)
def init(
    context: typer.Context,
    directory: Annotated[str, typer.Argument(metavar="DIR", help="Where to write the project.")] = ".",
    template: Annotated[
        str,
        typer.Option(
            metavar="NAME", autocompletion=template_names, help="Which project to begin with; --list shows them."
        ),
    ] = "quickstart",
    listed: Annotated[bool, typer.Option("--list", help="Show the templates and leave.")] = False,
    ci: Annotated[Forge | None, typer.Option(help="Write jobs that check pull requests and apply merges.")] = None,
) -> int:
    """Write a project that `mlplan apply` can run at once. With --ci, write the jobs of a forge beside it."""
    from mlplan.cli import init as command

    return command.run(context.obj, directory, template, listed, ci.value if ci else "")


@app.command(epilog=examples("mlplan show", "mlplan show run.train", "mlplan show mlplan-plan.json"))
def show(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="ADDR|PLANFILE", autocompletion=addresses, help="One resource, or a saved plan; without it, all."
        ),
    ] = "",
    form: Shown = Format.text,
) -> int:
    """Show what is recorded: every resource and what it yielded."""
    from mlplan.cli import show as command

    return command.run(context.obj, what, form.value)


@app.command(epilog=examples("mlplan history", "mlplan history -n 3"))
def history(
    context: typer.Context,
    limit: Annotated[int, typer.Option("-n", min=0, metavar="N", help="How many commits; 0 for all.")] = 20,
    form: Shown = Format.text,
) -> int:
    """Show who changed what, when, from which revision. The newest first."""
    from mlplan.cli import show as command

    return command.history(context.obj, limit, form.value)


@app.command(epilog=examples("mlplan explain run.train", "mlplan explain MLP3104"))
def explain(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="ADDR|CODE", autocompletion=addresses_or_codes, help="`run.train`, or `MLP3104`.")
    ],
) -> int:
    """Say why an address would change, or what an error means. Down to the line of the manifest."""
    from mlplan.cli import explain as command

    return command.run(context.obj, what)


class GraphFormat(str, Enum):
    """How a graph is drawn."""

    svg = "svg"
    dot = "dot"
    mermaid = "mermaid"


@app.command(epilog=examples("mlplan graph", "mlplan graph --format svg > graph.svg"))
def graph(
    context: typer.Context,
    form: Annotated[GraphFormat, typer.Option("--format", help="How to draw it.")] = GraphFormat.mermaid,
) -> int:
    """Draw which resource needs which, and what would change."""
    from mlplan.cli import graph as command

    return command.run(context.obj, form.value)


@app.command(epilog=examples("mlplan render", "mlplan render --out rendered"))
def render(
    context: typer.Context,
    out: Annotated[
        str, typer.Option(metavar="DIR", help="Write the files below DIR; without it, print them all.")
    ] = "",
) -> int:
    """Write the files that apply uses. Dockerfiles, conda files, run, inference and deployment configurations."""
    from mlplan.cli import render as command

    return command.run(context.obj, out)


@app.command(epilog=examples("mlplan schema", "mlplan schema manifest > manifest.schema.json"))
def schema(
    name: Annotated[str, typer.Argument(metavar="NAME", help="`manifest`, `plan`, `state` or `events`.")] = "",
) -> int:
    """Print one of the published JSON Schemas, or the names of all."""
    from mlplan.cli import schema as command

    return command.run(name)


@app.command(epilog=examples("mlplan lock", "mlplan lock --upgrade scikit-learn", "mlplan lock --check"))
def lock(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; 1 where the file isn't complete.")] = False,
    upgrade: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Take the newest of this package. Repeatable.")
    ] = None,
) -> int:
    """Pin what the manifest leaves open, in mlplan.lock. Packages with hashes, URLs with size and sha256."""
    from mlplan.cli import lock as command

    return command.run(context.obj, check, tuple(upgrade or ()))


@app.command(
    epilog=examples(
        "mlplan rollback deployment.digits    # to the version before", "mlplan rollback deployment.digits 3"
    )
)
def rollback(
    context: typer.Context,
    address: Annotated[
        str,
        typer.Argument(metavar="ADDR", autocompletion=addresses, help="`deployment.myservice`, or `model.mymodel`."),
    ],
    version: Annotated[int | None, typer.Argument(metavar="VERSION", help="Without it, the one before.")] = None,
    yes: Yes = False,
) -> int:
    """Put an earlier model version back in service. Shown as a plan first."""
    from mlplan.cli import rollback as command

    return command.run(context.obj, address, version, yes)


@app.command(epilog=examples("mlplan unlock"))
def unlock(context: typer.Context, yes: Yes = False) -> int:
    """Break the lease of an apply that is gone. Says what that means, and asks."""
    from mlplan.cli import unlock as command

    return command.run(context.obj, yes)


@app.command(epilog=examples("mlplan gc", "mlplan gc -y"))
def gc(context: typer.Context, yes: Yes = False) -> int:
    """Remove what nothing refers to any more. Says what that is, and asks."""
    from mlplan.cli import gc as command

    return command.run(context.obj, yes)


for group in (dataset_app, run_app, model_app, service_app, workspace_app):
    app.add_typer(group)
