"""Diagnostics as values: their order, and the nearest name."""

from __future__ import annotations

import pytest

from mlplan.diagnostics import Diagnostic, Label, Severity, as_typed, has_errors, in_order, nearest
from mlplan.source import Span

MANY = [f"training-run-{number}" for number in range(500)] + ["evaluate", "prepare"]


def _made(line: int, code: str, severity: Severity = "error") -> Diagnostic:
    return Diagnostic(code, severity, "", "", labels=(Label(Span("f", line, 1, line, 2)),))


def test_order_is_file_place_severity_code_each_once() -> None:
    nowhere = Diagnostic("MLP9", "error", "", "")
    first, warning, error, last = _made(1, "MLP3"), _made(2, "MLP1", "warning"), _made(2, "MLP2"), _made(3, "MLP1")
    assert in_order([last, warning, first, error, nowhere, first]) == [nowhere, first, error, warning, last]


def test_has_errors() -> None:
    assert not has_errors([_made(1, "MLP1", "warning"), _made(1, "MLP1", "note")])
    assert has_errors([_made(1, "MLP1", "warning"), _made(1, "MLP1")])


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("gpu-smal", ["gpu-large", "gpu-small"], "gpu-small"),
        ("x", ["gpu-small"], None),
        ("x", [], None),
        ("", ["a"], None),
        ("trianing-run-417", MANY, "training-run-417"),
        ("evalaute", MANY, "evaluate"),
        ("something else", MANY, None),
    ],
)
def test_nearest(word: str, known: list[str], expected: str | None) -> None:
    assert nearest(word, known) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Then\n    mlplan apply", "Then\n    mlplan -C 'my demo' apply"),
        ("    CA=x mlplan apply --only run.a", "    CA=x mlplan -C 'my demo' apply --only run.a"),
        ("`mlplan apply` makes them", "`mlplan apply` makes them"),
        ("    mlplan explain MLP4408", "    mlplan explain MLP4408"),
        ("    workspace: mlplan apply", "    workspace: mlplan apply"),
    ],
    ids=["command", "settings", "prose", "no project", "no command"],
)
def test_commands_to_copy_go_on_with_the_same_call(text: str, expected: str) -> None:
    assert as_typed(text, "mlplan -C 'my demo'") == expected
    assert as_typed(text, "mlplan") == text
