"""Diagnostics for the tests of their views: a plain one, one without a place, and some that are up to no good."""

from __future__ import annotations

from mlplan.address import Address
from mlplan.diagnostics import Diagnostic, Label, Severity
from mlplan.source import Source, Span

TEXT = "version: 1\nrun:\n  train:\n    compute: gpu-smal\n"
SOURCE = Source("mlplan.yaml", TEXT)
WRONG = Diagnostic(
    "MLP3104",
    "error",
    "Unknown compute",
    "The manifest declares no compute `gpu-smal`.",
    "Did you mean `gpu-small`?",
    (
        Label(Span("mlplan.yaml", 4, 14, 4, 22), "no compute has this name"),
        Label(Span("mlplan.yaml", 3, 3, 3, 8), "asked by"),
    ),
    Address("run", "train"),
)
PLACELESS = Diagnostic("MLP3207", "warning", "Unknown profile", "There is no profile `x`.")
NASTY = "100% <b>&\"'`\n::error::, a: b\x1b[31m\x00\ud800]]>```"


def nasty(severity: Severity) -> Diagnostic:
    """One whose every text tries to be markup, a command or an escape sequence."""
    labels = (Label(Span("a b,c:d.yaml", 1, 1, 1, 4), NASTY), Label(Span("mlplan.yaml", 1, 1, 1, 2), ""))
    return Diagnostic("MLP3104", severity, "Unknown compute", NASTY, NASTY, labels, Address("run", "train"))


ALL = [WRONG, PLACELESS, nasty("error"), nasty("note")]
SOURCES = [SOURCE, Source("a b,c:d.yaml", NASTY)]
