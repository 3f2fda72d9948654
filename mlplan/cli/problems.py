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


def spelled(diagnostics: Iterable[Diagnostic], command: str = "mlplan apply") -> list[Diagnostic]:
    """With hints that can be typed as they stand, to go on with the same project by the command that is at work."""

    def hint(text: str) -> str:
        lines = text.split("\n")
        return as_typed("\n".join(f"    {command}" if line == "    mlplan apply" else line for line in lines), call())

    return [diagnostic._replace(hint=hint(diagnostic.hint)) for diagnostic in diagnostics]
