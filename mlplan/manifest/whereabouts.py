"""Whether a manifest with errors still says whose records it speaks of, and where they are.

Whoever only reads what is recorded needs no more of it: `Whereabouts` in `resolved.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.diagnostics import has_errors

if TYPE_CHECKING:
    from mlplan.manifest.check import Checked
    from mlplan.manifest.drafts import Drafts
    from mlplan.manifest.parse import Parsed
    from mlplan.manifest.variables import Variables
    from mlplan.source import Source, Span

_SAYING = ("version", "project", "workspace")
"""The keys that say it; the first one, what the others mean."""


def in_doubt(parsed: Parsed, profile: str, checked: Checked, values: Variables, drafts: Drafts) -> bool:
    """Whether what is wrong with a manifest could be what names another project or another place."""
    paths = {(key,) for key in _SAYING}
    return (
        not (drafts.project and drafts.workspace)
        or bool(paths & (checked.bad | checked.meant))
        or not checked.bad.isdisjoint([("profiles",), ("profiles", profile)])
        or (bool(paths & drafts.filled) and has_errors(values.diagnostics))
        or any(_at(diagnostic.span, parsed.source) in _SAYING for diagnostic in parsed.diagnostics)  # twice
    )


def _at(span: Span | None, source: Source) -> str:
    """What is written at a place."""
    if span is None or span.line != span.end_line:
        return ""
    return source.lines()[span.line - 1][span.column - 1 : span.end_column - 1].strip("'\"")
