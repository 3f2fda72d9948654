"""Diagnostics on stderr, as every command shows them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mlplan.cli.globals import colour_wanted, tell, width
from mlplan.diagnostics import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlplan.diagnostics import Diagnostic
    from mlplan.source import Source


def tell_problems(diagnostics: Iterable[Diagnostic], sources: Iterable[Source] = ()) -> None:
    """All of them, sorted, with the lines they speak of."""
    from mlplan.views.diagnostics import render_text

    found = in_order(diagnostics)
    if found:
        colour = colour_wanted(sys.stderr.isatty())
        tell(render_text(found, tuple(sources), color=colour, width=min(width(), 110)))
