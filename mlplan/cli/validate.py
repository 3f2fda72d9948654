"""`mlplan validate`: everything that is wrong with the manifest and what it refers to, in one pass."""

from __future__ import annotations

import sys

from mlplan.cli.globals import Globals, colour_wanted, say, tell, width
from mlplan.cli.project import load_manifest
from mlplan.diagnostics import has_errors
from mlplan.errors import ExitCode


def run(options: Globals, form: str) -> ExitCode:
    """0 where there is no error; warnings alone don't fail."""
    from mlplan.views.findings import render

    loaded = load_manifest(options)
    colour = colour_wanted(sys.stdout.isatty())
    text = render(loaded.diagnostics, loaded.sources, form=form, colour=colour, width=width())
    if text:
        say(text)
    if form == "text" and loaded.manifest is not None:
        tell(f"{loaded.manifest.file} is valid: {len(loaded.manifest.resources)} resources.")
    return ExitCode.FAILED if has_errors(loaded.diagnostics) else ExitCode.OK
