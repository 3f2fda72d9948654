"""A plan as a page: it stands alone, and shows the graph with what goes."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from mlplan.address import Address
from mlplan.graph import build_graph
from mlplan.plan.changes import Change, Plan, Reason
from mlplan.views import plan_html

GOLDEN = Path(__file__).parents[2] / "golden" / "cases"


class _Page(HTMLParser):
    """Collects a page's tags and what they point at."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.targets += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")]


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.iterdir()))
def test_a_page_stands_alone(name: str) -> None:
    text = (GOLDEN / name / "plan.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert page.targets == []
    assert not {"script", "link", "iframe", "img", "object", "b"}.intersection(page.tags)
    assert "url(" not in text.replace("url(#tip)", "")


def test_a_page_shows_what_goes_beside_the_graph() -> None:
    gone = Change(Address("deployment", "old"), "delete", (Reason("undeclared", "x"),), {}, {}, impact="destructive")
    text = plan_html.render(Plan("p", "l", 1, "d", (gone,), {}), graph=build_graph({Address("compute", "c"): ()}))
    assert "<title>deployment.old: - delete</title>" in text
    assert "<title>compute.c: unchanged</title>" in text
