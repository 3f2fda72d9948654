"""`mlplan schema`: the published JSON Schemas."""

from __future__ import annotations

import os

from mlplan.cli.globals import say
from mlplan.codes import plan as codes
from mlplan.diagnostics import nearest
from mlplan.errors import ExitCode, Refusal
from mlplan.resources import folder, read


def run(name: str) -> ExitCode:
    """Prints one schema, or the names of all."""
    names = sorted(file.removesuffix(".json") for file in os.listdir(folder("schemas")) if file.endswith(".json"))
    if not name:
        for known in names:
            say(known)
    elif name in names:
        say(read("schemas", f"{name}.json"))
    else:
        near = nearest(name, names)
        hint = f'Did you mean "{near}"?' if near else f"There are: {', '.join(names)}."
        raise Refusal([codes.MLP5001.diagnostic(f"No schema is called `{name}`.", hint=hint)])
    return ExitCode.OK
