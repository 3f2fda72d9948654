"""Diagnostics as JUnit XML: each error a failed test, each warning a passed one with a word; for none, one passes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from mlplan.views.diagnostics import concise_line
from mlplan.views.excerpts import on_one_line, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplan.diagnostics import Diagnostic


def render_junit(diagnostics: Sequence[Diagnostic], *, manifest: str = "mlplan.yaml") -> str:
    """The report as XML. `manifest` names the test that passes where there is nothing to say."""
    failures = sum(diagnostic.severity == "error" for diagnostic in diagnostics)
    cases = [_case(diagnostic) for diagnostic in diagnostics] or [
        f'    <testcase classname="mlplan" name={quoteattr(manifest)} time="0"/>'
    ]
    totals = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="0" time="0"'
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites name="mlplan" {totals}>',
            f'  <testsuite name="mlplan validate" {totals}>',
            *cases,
            "  </testsuite>",
            "</testsuites>",
            "",
        )
    )


def _case(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    name = f"{diagnostic.code} {diagnostic.summary}" + (f" at {span.line}:{span.column}" if span else "")
    classname = str(diagnostic.address or (span.file if span else "mlplan"))
    text = concise_line(diagnostic) + (f"\n\n{visible(diagnostic.hint)}" if diagnostic.hint else "")
    if diagnostic.severity == "error":
        message = quoteattr(on_one_line(diagnostic.detail))
        inside = f"<failure type={quoteattr(diagnostic.code)} message={message}>{escape(text)}</failure>"
    else:
        inside = f"<system-out>{escape(text)}</system-out>"
    return f'    <testcase classname={quoteattr(classname)} name={quoteattr(name)} time="0">{inside}</testcase>'
