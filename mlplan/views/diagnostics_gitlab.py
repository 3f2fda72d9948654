"""Diagnostics as a GitLab code quality report: what a merge request shows as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.views.diagnostics import in_repository
from mlplan.views.diagnostics_identity import fingerprints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplan.diagnostics import Diagnostic
    from mlplan.json_types import Json
    from mlplan.source import Source

_SEVERITIES = {"error": "major", "warning": "minor", "note": "info"}


def render_gitlab(
    diagnostics: Sequence[Diagnostic], sources: Sequence[Source], *, prefix: str = "", manifest: str = "mlplan.yaml"
) -> str:
    """A JSON list. `prefix` leads from the repository's root to the project's folder; a diagnostic without a place
    is put at the first line of `manifest`."""
    import json

    marks = fingerprints(diagnostics, sources)
    findings = [
        _finding(diagnostic, mark, prefix, manifest) for diagnostic, mark in zip(diagnostics, marks, strict=True)
    ]
    return json.dumps(findings, indent=2) + "\n"


def _finding(diagnostic: Diagnostic, fingerprint: str, prefix: str, manifest: str) -> Json:
    span = diagnostic.span
    return {
        "description": f"{diagnostic.summary}: {' '.join(diagnostic.detail.split())}",
        "check_name": diagnostic.code,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[diagnostic.severity],
        "location": {
            "path": in_repository(span.file if span else manifest, prefix),
            "lines": {"begin": span.line if span else 1, "end": span.end_line if span else 1},
        },
    }
