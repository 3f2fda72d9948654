"""The comment fits and holds no markup of others; the page stands alone; drawings overlap nothing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlplan.address import Address
from mlplan.fingerprint import Part
from mlplan.graph import build_graph
from mlplan.plan.changes import Change, Plan, Reason
from mlplan.views import plan_html, plan_markdown
from mlplan.views.graph import SIZE, draw
from mlplan.views.layout import LANE, lay_out
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


_GRAPHS = st.integers(0, 12).flatmap(
    lambda count: st.lists(
        st.tuples(st.integers(0, max(count - 1, 0)), st.integers(0, max(count - 1, 0))), max_size=25
    ).map(lambda pairs: {n: sorted({a for a, b in pairs if b == n and a < n}) for n in range(count)})
)


@given(_GRAPHS)
def test_boxes_and_lanes_overlap_nothing_and_edges_go_right(needs: dict[int, list[int]]) -> None:
    drawn = lay_out(sorted(needs), needs, SIZE)
    columns: dict[int, list[tuple[int, int]]] = {}
    for box in drawn.boxes.values():
        columns.setdefault(box.x, []).append((box.y, box.y + SIZE.height))
        assert 0 <= box.x <= drawn.width - SIZE.width
        assert 0 <= box.y <= drawn.height - SIZE.height + 1
    for lanes in drawn.routes.values():
        for lane in lanes:
            columns.setdefault(lane.x, []).append((lane.y - LANE // 2, lane.y + LANE // 2))
    for taken in columns.values():
        ordered = sorted(taken)
        assert all(above[1] < below[0] for above, below in pairwise(ordered))
    for node, wanted in needs.items():
        assert all(drawn.boxes[need].x < drawn.boxes[node].x for need in wanted)


def test_every_drawing_is_well_formed() -> None:
    run, data = Address("run", "a-name-that-is-much-too-long-for-its-box"), Address("dataset", "d")
    graph = build_graph({run: [data], data: []})
    ET.fromstring(draw(graph, {run: "run"}, form="svg"))
    assert draw(build_graph({}), {}, form="mermaid") == "flowchart LR\n"
    assert draw(build_graph({}), {}, form="dot").startswith("digraph mlplan {\n")
    ET.fromstring(draw(build_graph({}), {}, form="svg"))
