"""How reasons are said."""

from __future__ import annotations

import pytest

from mlplan.address import Address
from mlplan.plan.changes import Action, Change, Reason
from mlplan.views import words


def _change(action: Action, *reasons: Reason) -> Change:
    return Change(Address("run", "train"), action, reasons, {}, {})


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason("changed", "scripts/train.py"), "scripts/train.py changed"),
        (Reason("changed", "--regularization", 0.01, 0.5), "--regularization 0.01 -> 0.5"),
        (
            Reason("changed", "dataset digits", detail="2 files changed (a, b)"),
            "dataset digits: 2 files changed (a, b)",
        ),
        (Reason("changed", "dataset digits", 1, 2, "1 file added"), "dataset digits 1 -> 2: 1 file added"),
        (Reason("changed", "content", 3, 3), "content changed"),
        (
            Reason("changed", "collect", {"keep": "256Mi", "sample": 1}, {"keep": "64Ki", "days": 7}),
            "collect: keep 256Mi -> 64Ki, sample removed, days 7 added",
        ),
        (Reason("added", "package numpy", None, "==2.1"), "package numpy ==2.1 added"),
        (Reason("removed", "env SEED", "7"), "env SEED 7 removed"),
        (Reason("upstream", "model bytes", None, "run.train"), "model bytes (known after apply of run.train)"),
        (Reason("unpinned", "locked packages"), "locked packages: not in mlplan.lock yet (known after apply)"),
        (Reason("drift", "service", "Healthy", "Absent", "stopped"), "service stopped (Healthy -> Absent)"),
        (Reason("drift", "kept output a.pkl", detail="missing"), "kept output a.pkl missing"),
        (Reason("undeclared", "run.train"), "no longer in the manifest"),
        (Reason("moved", "run.mnist", "run.mnist", "run.train"), "moved from run.mnist"),
        (Reason("forced", "--replace"), "asked for by --replace"),
        (Reason("new", "run.train"), "new"),
        (Reason("interrupted", "run"), "an apply has begun its run, and not finished it"),
        (Reason("changed", "bell\x07.py"), "bell\\x07.py changed"),
    ],
)
def test_reason(reason: Reason, text: str) -> None:
    assert words.reason_words(reason, _change("run", reason)).text == text


def test_a_restored_run_is_not_called_new() -> None:
    reason = Reason("new", "run.train")
    assert words.reason_words(reason, _change("restore", reason)).text == (
        "ran before with the same inputs, its outputs are kept"
    )


def test_a_change_says_what_it_waits_for() -> None:
    causes = [Address("model", name) for name in "abc"]
    assert words.conditional_text(_change("update")) == ""
    assert words.conditional_text(_change("update")._replace(conditional=tuple(causes[:1]))) == (
        "only if model.a changes"
    )
    assert words.conditional_text(_change("update")._replace(conditional=tuple(causes))) == (
        "only if model.a, model.b or model.c change"
    )
