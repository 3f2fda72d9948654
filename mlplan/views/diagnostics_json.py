"""Diagnostics as JSON: one object, with Terraform's names where the meaning is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.diagnostics import has_errors
from mlplan.views.diagnostics_identity import fingerprints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplan.diagnostics import Diagnostic, Label
    from mlplan.json_types import Json
    from mlplan.source import Source, Span

FORMAT_VERSION = "1.0"
"""Raised to 1.x for what readers may ignore, to 2.0 for what they may not."""


def render_json(diagnostics: Sequence[Diagnostic], sources: Sequence[Source]) -> str:
    """What `validate --format json` prints: `valid`, the counts and the diagnostics."""
    import json

    document: Json = {
        "format_version": FORMAT_VERSION,
        "valid": not has_errors(diagnostics),
        "error_count": sum(diagnostic.severity == "error" for diagnostic in diagnostics),
        "warning_count": sum(diagnostic.severity == "warning" for diagnostic in diagnostics),
        "diagnostics": diagnostics_json(diagnostics, sources),
    }
    return json.dumps(document, indent=2) + "\n"


def diagnostics_json(diagnostics: Sequence[Diagnostic], sources: Sequence[Source] = ()) -> list[Json]:
    """Each diagnostic as an object, to put into a larger document."""
    lines = {source.file: source.lines() for source in sources}
    marks = fingerprints(diagnostics, sources)
    return [_object(diagnostic, mark, lines) for diagnostic, mark in zip(diagnostics, marks, strict=True)]


def _object(diagnostic: Diagnostic, fingerprint: str, lines: dict[str, list[str]]) -> Json:
    made: dict[str, Json] = {
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
        "hint": diagnostic.hint,
        "address": str(diagnostic.address) if diagnostic.address else None,
        "fingerprint": fingerprint,
    }
    if diagnostic.labels:
        first, *others = diagnostic.labels
        made["range"] = _range(first.span)
        made["snippet"] = _snippet(first, lines)
        made["related"] = [{"range": _range(label.span), "text": label.text} for label in others]
    return made


def _range(span: Span) -> Json:
    """Lines and columns from 1, columns in characters, the end exclusive."""
    return {
        "filename": span.file,
        "start": {"line": span.line, "column": span.column},
        "end": {"line": span.end_line, "column": span.end_column},
    }


def _snippet(label: Label, lines: dict[str, list[str]]) -> Json:
    of_file = lines.get(label.span.file, [])
    code = of_file[label.span.line - 1] if 0 < label.span.line <= len(of_file) else ""
    return {"code": code, "start_line": label.span.line, "text": label.text}
