"""Diagnostics on stderr, as every command shows them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mlplan.cli.globals import call, colour_wanted, tell, width
from mlplan.diagnostics import as_typed, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlplan.diagnostics import Diagnostic
    from mlplan.source import Source


def tell_problems(diagnostics: Iterable[Diagnostic], sources: Iterable[Source] = ()) -> None:
    """All of them, sorted, with the lines they speak of."""
    from mlplan.views.diagnostics import render_text

    found = spelled(in_order(diagnostics))
    if found:
        colour = colour_wanted(sys.stderr.isatty())
        tell(render_text(found, tuple(sources), color=colour, width=min(width(), 110)))


def spelled(diagnostics: Iterable[Diagnostic], command: str = "") -> list[Diagnostic]:
    """With hints that can be typed as they stand, for the same project. Those that say to apply again say `command`,
    where one is at work: `mlplan -C demo apply --only run.train`, `mlplan destroy`."""

    def hint(text: str) -> str:
        lines = text.split("\n")
        return "\n".join(
            f"    {command}" if command and line == "    mlplan apply" else as_typed(line, call()) for line in lines
        )

    return [diagnostic._replace(hint=hint(diagnostic.hint)) for diagnostic in diagnostics]
