"""The flags and help of the commands below `dataset`, `run`, `model`, `service` and `workspace`, by typer."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from mlplan.cli.completing import names
from mlplan.cli.options import Format, Shown, Yes, examples

dataset_app = typer.Typer(name="dataset", help="The versions of datasets.", no_args_is_help=True)
run_app = typer.Typer(name="run", help="The executions of runs. `mlplan apply` starts them.", no_args_is_help=True)
model_app = typer.Typer(name="model", help="The versions of models.", no_args_is_help=True)
service_app = typer.Typer(
    name="service", help="What serves. `mlplan apply` brings it up, `mlplan destroy` ends it.", no_args_is_help=True
)
workspace_app = typer.Typer(
    name="workspace", help="Where the state is kept, and taking it elsewhere.", no_args_is_help=True
)

OneOrAll = Annotated[str, typer.Argument(metavar="NAME", autocompletion=names, help="Only of this one.")]
Version = Annotated[
    str, typer.Argument(metavar="NAME[:VERSION]", autocompletion=names, help="Without a version, the newest.")
]
RunMention = Annotated[
    str, typer.Argument(metavar="NAME|ID", autocompletion=names, help="Of a name, the newest execution.")
]
ServiceName = Annotated[str, typer.Argument(metavar="NAME", autocompletion=names, help="The deployment's name.")]
Follow = Annotated[bool, typer.Option("--follow", help="Go on as it is written.")]


@dataset_app.command("list", epilog=examples("mlplan dataset list"))
def dataset_list(context: typer.Context, name: OneOrAll = "", form: Shown = Format.text) -> int:
    """List the versions of datasets."""
    from mlplan.cli import records

    return records.list_versions(context.obj, "dataset", name, form.value)


@dataset_app.command("show", epilog=examples("mlplan dataset show digits", "mlplan dataset show digits:1"))
def dataset_show(context: typer.Context, version: Version, form: Shown = Format.text) -> int:
    """Show one version, its files too."""
    from mlplan.cli import records

    return records.show_version(context.obj, "dataset", version, form.value)


@run_app.command("list", epilog=examples("mlplan run list", "mlplan run list train"))
def run_list(context: typer.Context, name: OneOrAll = "", form: Shown = Format.text) -> int:
    """List the executions of runs."""
    from mlplan.cli import records

    return records.list_runs(context.obj, name, form.value)


@run_app.command("show", epilog=examples("mlplan run show train"))
def run_show(context: typer.Context, run: RunMention, form: Shown = Format.text) -> int:
    """Show one execution: metrics, cost, outputs."""
    from mlplan.cli import records

    return records.show_run(context.obj, run, form.value)


@run_app.command("logs", epilog=examples("mlplan run logs train", "mlplan run logs train --follow"))
def run_logs(context: typer.Context, run: RunMention, follow: Follow = False) -> int:
    """Print what a run printed, also while it runs."""
    from mlplan.cli import records

    return records.run_logs(context.obj, run, follow)


@model_app.command("list", epilog=examples("mlplan model list"))
def model_list(context: typer.Context, name: OneOrAll = "", form: Shown = Format.text) -> int:
    """List the versions of models."""
    from mlplan.cli import records

    return records.list_versions(context.obj, "model", name, form.value)


@model_app.command("show", epilog=examples("mlplan model show digits", "mlplan model show digits:1"))
def model_show(context: typer.Context, version: Version, form: Shown = Format.text) -> int:
    """Show one version: where it comes from, its metrics, its files."""
    from mlplan.cli import records

    return records.show_version(context.obj, "model", version, form.value)


@model_app.command("download", epilog=examples("mlplan model download digits:1 -t model"))
def model_download(
    context: typer.Context,
    version: Version,
    folder: Annotated[str, typer.Option("-t", "--to", metavar="DIR", help="Where to write its files.")] = ".",
) -> int:
    """Write a version's files to a folder."""
    from mlplan.cli import records

    return records.download(context.obj, version, folder)


@service_app.command("list", epilog=examples("mlplan service list"))
def service_list(context: typer.Context, form: Shown = Format.text) -> int:
    """List the services, as they are now."""
    from mlplan.cli import service

    return service.list_services(context.obj, form.value)


@service_app.command("show", epilog=examples("mlplan service show digits"))
def service_show(context: typer.Context, name: ServiceName, form: Shown = Format.text) -> int:
    """Show one service: scoring URI, state, models, uptime, requests."""
    from mlplan.cli import service

    return service.show(context.obj, name, form.value)


@service_app.command("logs", epilog=examples("mlplan service logs digits --follow"))
def service_logs(context: typer.Context, name: ServiceName, follow: Follow = False) -> int:
    """Print the log of a service."""
    from mlplan.cli import service

    return service.logs(context.obj, name, follow)


@service_app.command(
    "score",
    epilog=examples(
        "mlplan service score digits -d @testdata.json",
        "mlplan service score iris -d '{\"data\": [[5.1, 3.5, 1.4, 0.2]]}'",
    ),
)
def service_score(
    context: typer.Context,
    name: ServiceName,
    data: Annotated[str, typer.Option("-d", "--data", metavar="JSON|@FILE", help="What to ask; @- reads stdin.")],
) -> int:
    """Ask a service, and print its answer."""
    from mlplan.cli import service

    return service.score(context.obj, name, data)


@service_app.command(
    "data", epilog=examples("mlplan service data digits", "mlplan service data digits --export requests.jsonl")
)
def service_data(
    context: typer.Context,
    name: ServiceName,
    export: Annotated[
        str, typer.Option("--export", metavar="FILE", help="Write every record to a file of JSON lines; - is stdout.")
    ] = "",
    form: Shown = Format.text,
) -> int:
    """List what a service has kept of its requests, or export it. See `collect` in the manifest."""
    from mlplan.cli import service

    return service.data(context.obj, name, export, form.value)


keys_app = typer.Typer(name="keys", help="The two keys of a service.", no_args_is_help=True)
service_app.add_typer(keys_app)


class WhichKey(str, Enum):
    """One of the two keys of a service."""

    primary = "primary"
    secondary = "secondary"


@keys_app.command("show", epilog=examples("mlplan service keys show digits"))
def service_keys_show(context: typer.Context, name: ServiceName, form: Shown = Format.text) -> int:
    """Show both keys."""
    from mlplan.cli import service

    return service.show_keys(context.obj, name, form.value)


@keys_app.command(
    "rotate", epilog=examples("mlplan service keys rotate digits", "mlplan service keys rotate digits secondary")
)
def service_keys_rotate(
    context: typer.Context,
    name: ServiceName,
    which: Annotated[WhichKey, typer.Argument(metavar="primary|secondary", help="Which one.")] = WhichKey.primary,
) -> int:
    """Make one key anew and print it. It takes effect at once, without a restart."""
    from mlplan.cli import service

    return service.rotate_key(context.obj, name, which.value)


@workspace_app.command("show", epilog=examples("mlplan workspace show"))
def workspace_show(context: typer.Context, form: Shown = Format.text) -> int:
    """Show where the workspace is and what it keeps. How far its history goes, and who holds it."""
    from mlplan.cli import workspace

    return workspace.show(context.obj, form.value)


@workspace_app.command("migrate", epilog=examples("mlplan workspace migrate s3://team-ml/tutorial"))
def workspace_migrate(
    context: typer.Context,
    place: Annotated[str, typer.Argument(metavar="TO", help="A path, s3://bucket/prefix, az://... or gs://...")],
    yes: Yes = False,
) -> int:
    """Copy everything to another place. Checks it there, and marks this one as moved.

    This one stays readable. Interrupted, the same command goes on with it.
    """
    from mlplan.cli import workspace

    return workspace.migrate(context.obj, place, yes)


ArchiveFile = Annotated[str, typer.Argument(metavar="FILE", help="The archive, a zip file.")]


@workspace_app.command("rotate-key", epilog=examples("mlplan workspace rotate-key"))
def workspace_rotate_key(context: typer.Context) -> int:
    """Have an encrypted workspace open by another key. MLPLAN_WORKSPACE_NEW_KEY holds it."""
    from mlplan.cli import workspace

    return workspace.rotate_key(context.obj)


@workspace_app.command("export", epilog=examples("mlplan workspace export everything.zip"))
def workspace_export(context: typer.Context, file: ArchiveFile) -> int:
    """Write the history and all that is kept to one archive."""
    from mlplan.cli import workspace

    return workspace.export(context.obj, file)


@workspace_app.command("import", epilog=examples("mlplan workspace import everything.zip"))
def workspace_import(context: typer.Context, file: ArchiveFile) -> int:
    """Read an archive into the workspace, which has to be empty."""
    from mlplan.cli import workspace

    return workspace.import_(context.obj, file)
