"""What a shell offers for a half-typed word: the addresses and names that the manifest declares, the templates.

Where the manifest has errors nothing is offered, and nothing is told: the shell's user is in the midst of a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from mlplan.cli.globals import Globals

if TYPE_CHECKING:
    from mlplan.address import Address


def addresses(context: typer.Context) -> list[str]:
    """Those of all resources."""
    return [str(address) for address in declared(context)]


def addresses_or_codes(context: typer.Context, incomplete: str) -> list[str]:
    """The same, or the codes of diagnostics where one is begun."""
    if not incomplete.startswith("MLP"):
        return addresses(context)
    from mlplan.codes import every_code

    return [each.code for each in every_code()]


def names(context: typer.Context) -> list[str]:
    """The names of the resources that a command of two words is about: of runs after `mlplan run show`."""
    group = context.parent.info_name if context.parent else ""
    kind = "deployment" if group in ("service", "keys") else group
    return [address.name for address in declared(context) if address.kind == kind]


def template_names() -> list[str]:
    """What `mlplan init --template` takes."""
    from mlplan.cli.init import templates

    return list(templates())


def declared(context: typer.Context) -> list[Address]:
    """The addresses in the manifest that the line names so far."""
    from mlplan.address import sort_key
    from mlplan.cli.project import load_manifest

    said = context.find_root().params
    options = Globals(said.get("directory") or ".", said.get("file") or "mlplan.yaml", said.get("profile") or "")
    manifest = load_manifest(options).manifest
    return sorted(manifest.resources, key=sort_key) if manifest else []
