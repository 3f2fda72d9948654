"""Diagnostics as annotations of a GitHub workflow: lines that the runner turns into marks on the changed files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.diagnostics import SEVERITIES
from mlplan.views.diagnostics import concise_line, in_repository
from mlplan.views.excerpts import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplan.diagnostics import Diagnostic

MAX_OF_A_KIND = 10
"""How many annotations of one kind GitHub shows for one step; what is beyond, it drops without a word."""
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render_github(diagnostics: Sequence[Diagnostic], *, prefix: str = "") -> str:
    """The most severe first. Of each kind ten become annotations; the others follow as plain lines, and that is said.

    `prefix` leads from the repository's root to the project's folder ("" or "path/to").
    """
    lines = []
    rest: list[Diagnostic] = []
    for severity in SEVERITIES:
        of_kind = [diagnostic for diagnostic in diagnostics if diagnostic.severity == severity]
        lines += [_annotation(diagnostic, prefix) for diagnostic in of_kind[:MAX_OF_A_KIND]]
        rest += of_kind[MAX_OF_A_KIND:]
    if rest:
        shown = len(diagnostics) - len(rest)
        lines.append(
            f"GitHub shows at most {MAX_OF_A_KIND} annotations of a kind: {shown} of {len(diagnostics)} findings are "
            f"annotated, here are the other {len(rest)}:"
        )
        lines += [concise_line(diagnostic) for diagnostic in rest]
    return "".join(f"{line}\n" for line in lines)


def _annotation(diagnostic: Diagnostic, prefix: str) -> str:
    properties = {"title": f"{diagnostic.code} {diagnostic.summary}"}
    span = diagnostic.span
    if span:
        properties = {
            "file": in_repository(span.file, prefix),
            "line": str(span.line),
            "endLine": str(span.end_line),
            **properties,
        }
        if span.line == span.end_line:  # GitHub takes columns within one line alone
            properties |= {"col": str(span.column), "endColumn": str(span.end_column)}
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    text = diagnostic.detail + (f"\n\n{diagnostic.hint}" if diagnostic.hint else "")
    return f"::{_COMMANDS[diagnostic.severity]} {written}::{_message(text)}"


def _message(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
