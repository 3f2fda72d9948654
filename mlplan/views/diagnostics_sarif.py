"""Diagnostics as SARIF 2.1.0, for code scanning services.

Stays inside what GitHub takes: at most 25,000 results a run (the most severe are kept, and a notification says how
many were left out), a location for each, unique fingerprints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan import __version__
from mlplan.views.diagnostics import by_severity, in_repository
from mlplan.views.diagnostics_identity import fingerprints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplan.diagnostics import Diagnostic
    from mlplan.json_types import Json
    from mlplan.source import Source, Span

MAX_RESULTS = 25_000
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render_sarif(
    diagnostics: Sequence[Diagnostic], sources: Sequence[Source], *, prefix: str = "", manifest: str = "mlplan.yaml"
) -> str:
    """A SARIF log. `prefix` leads from the repository's root to the project's folder ("" or "path/to"); a diagnostic
    without a place is put at the first line of `manifest`."""
    import json

    marks = dict(zip(diagnostics, fingerprints(diagnostics, sources), strict=True))
    kept = by_severity(diagnostics)[:MAX_RESULTS]
    rules = list(dict.fromkeys(diagnostic.code for diagnostic in kept))
    results = [
        _result(diagnostic, rules.index(diagnostic.code), marks[diagnostic], prefix, manifest) for diagnostic in kept
    ]
    run: dict[str, Json] = {
        "tool": {"driver": {"name": "mlplan", "version": __version__, "rules": [_rule(code) for code in rules]}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    left_out = len(diagnostics) - len(kept)
    if left_out:
        run["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": [_left_out(left_out)]}]
    log: Json = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _left_out(count: int) -> Json:
    return {"level": "warning", "message": {"text": f"{count} more findings were left out, the least severe ones."}}


def _rule(code: str) -> Json:
    from mlplan.codes import lookup, page

    entry = lookup(code)
    if entry is None:  # of a newer mlplan, read from a file
        return {"id": code}
    text = page(code)
    return {
        "id": code,
        "shortDescription": {"text": entry.summary},
        "fullDescription": {"text": text.split("\n\n")[0].replace("\n", " ")},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": entry.severity},
        "properties": {"tags": ["mlplan"]},
    }


def _result(diagnostic: Diagnostic, rule: int, fingerprint: str, prefix: str, manifest: str) -> Json:
    text = diagnostic.detail + (f"\n\n{diagnostic.hint}" if diagnostic.hint else "")
    location: dict[str, Json] = {"physicalLocation": _physical(diagnostic.span, prefix, manifest)}
    if diagnostic.address:
        location["logicalLocations"] = [{"fullyQualifiedName": str(diagnostic.address), "kind": "resource"}]
    made: dict[str, Json] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": text},
        "locations": [location],
        "partialFingerprints": {"mlplan/v1": fingerprint},
    }
    if len(diagnostic.labels) > 1:
        made["relatedLocations"] = [
            {
                "id": number,
                "message": {"text": label.text or "See here."},
                "physicalLocation": _physical(label.span, prefix, manifest),
            }
            for number, label in enumerate(diagnostic.labels[1:], start=1)
        ]
    return made


def _physical(span: Span | None, prefix: str, manifest: str) -> Json:
    from urllib.parse import quote

    uri = quote(in_repository(span.file if span else manifest, prefix))
    if span is None:
        return {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    return {"artifactLocation": {"uri": uri}, "region": region}
