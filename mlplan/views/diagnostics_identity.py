"""Fingerprints of diagnostics: the same finding keeps its fingerprint when lines move above it.

Services that collect findings tell by it which are new. What counts: the code, the file, the resource, the text under
the mark, and, among equals, which one it is. Places and wording don't count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.json_types import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlplan.diagnostics import Diagnostic
    from mlplan.source import Source


def fingerprints(diagnostics: Sequence[Diagnostic], sources: Sequence[Source]) -> list[str]:
    """A fingerprint for each, in order: 32 hex digits, no two alike."""
    lines = {source.file: source.lines() for source in sources}
    seen: dict[str, int] = {}
    made = []
    for diagnostic in diagnostics:
        what = digest_of(
            [
                diagnostic.code,
                diagnostic.span.file if diagnostic.span else "",
                str(diagnostic.address or ""),
                marked_text(diagnostic, lines),
            ]
        )
        seen[what] = seen.get(what, 0) + 1
        made.append(digest_of([what, seen[what]])[:32])
    return made


def marked_text(diagnostic: Diagnostic, lines: Mapping[str, Sequence[str]]) -> str:
    """The text under the primary mark, its first line; "" where there is none."""
    span = diagnostic.span
    if span is None or span.file not in lines or not 0 < span.line <= len(lines[span.file]):
        return ""
    line = lines[span.file][span.line - 1]
    return line[span.column - 1 : span.end_column - 1 if span.end_line == span.line else None].strip()
