"""Drawings of a graph: boxes and lanes overlap nothing, and every form is well-formed."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mlplan.address import Address
from mlplan.graph import build_graph
from mlplan.views.graph import SIZE, draw
from mlplan.views.layout import LANE, lay_out

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
