"""A plan as a comment: it fits, and holds no markup of others."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from mlplan.address import Address
from mlplan.fingerprint import Part
from mlplan.plan.changes import Change, Plan, Reason
from mlplan.views import plan_markdown
from mlplan.views.plan_context import Context

GOLDEN = Path(__file__).parents[2] / "golden" / "cases"


def _many(count: int, reasons: int) -> Plan:
    parts = {f"file-{n}": Part("result", f"{n:064}") for n in range(reasons + 1)}
    why = tuple(Reason("changed", f"file-{n}") for n in range(reasons))
    changes = tuple(
        Change(Address("run", f"r{n}"), "run", why, {}, parts, impact="retrain" if n % 2 else "destructive")
        for n in range(count)
    )
    return Plan("p", "l", 1, "d", changes, {})


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (_many(20, 5), ""),
        (_many(90, 12), "The fields are left out"),
        (_many(400, 12), "The reasons are left out"),
        (_many(5000, 1), "more changes, and all reasons, are left out"),
    ],
    ids=["all", "no fields", "no reasons", "not all changes"],
)
def test_a_comment_fits_and_says_what_it_leaves_out(plan: Plan, says: str) -> None:
    text = plan_markdown.render(plan, context=Context(full_text="https://ci.example/run/7"))
    assert len(text) <= 65_536
    assert text.startswith("**Plan: ")
    assert says in text
    assert ("All of it: https://ci.example/run/7" in text) == bool(says)


def test_a_cut_comment_counts_what_is_missing() -> None:
    text = plan_markdown.render(_many(5000, 1))
    shown = len(re.findall(r"^- \*\*run\*\*", text, re.MULTILINE))
    assert f"{5000 - shown} more changes" in text
    assert text.index("### Destructive") < text.index("- **run** `run.r0`")


def test_a_comment_mentions_nobody_and_opens_nothing() -> None:
    text = (GOLDEN / "hostile" / "plan.md").read_text(encoding="utf-8")
    own = {"code", "/code", "details", "/details", "summary", "/summary"}
    assert set(re.findall(r"<(/?[a-z]+)[^>]*>", text)) <= own
    assert not re.search(r"[@#]\w", unescape(text))
    assert text.count("<details>") == text.count("</details>") == 0
