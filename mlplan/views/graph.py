"""The graph of a project, drawn: DOT, Mermaid, or an SVG of our own. What needs others stands to the right of them.

Pure and deterministic: the same graph gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlplan.address import Address
    from mlplan.graph import Graph
    from mlplan.plan.changes import Action

COLOURS: Mapping[str, str] = {
    "run": "#0e7490",
    "restore": "#1d4ed8",
    "register": "#15803d",
    "create": "#15803d",
    "update": "#a16207",
    "replace": "#a21caf",
    "delete": "#b91c1c",
}
"""A colour for each action that changes something; the others are grey."""
GREY = "#64748b"

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 190, 46, 70, 18, 20
"""Of a box, of the gaps between boxes, and around the picture. In pixels."""


def draw(graph: Graph, actions: Mapping[Address, Action], *, form: str) -> str:
    """The graph in one of the forms `svg`, `dot`, `mermaid`; each node with its action, where it has one."""
    if form == "dot":
        return _dot(graph, actions)
    return _mermaid(graph, actions) if form == "mermaid" else svg(graph, actions)


def _quiet(action: Action | None) -> bool:
    return action in (None, "no-op", "skip")


def _edges(graph: Graph) -> Iterator[tuple[Address, Address]]:
    """(what is needed, who needs it), in the order of the graph."""
    for address in graph.order:
        for need in graph.needs[address]:
            yield need, address


def _dot(graph: Graph, actions: Mapping[Address, Action]) -> str:
    lines = ["digraph mlplan {", "  rankdir=LR", '  node [shape=box, style=rounded, fontname="sans-serif"]']
    for address in graph.order:
        action = actions.get(address)
        loud = "" if _quiet(action) else f'\\n{action}", color="{COLOURS[str(action)]}'
        lines.append(f'  "{address}" [label="{address}{loud}"]')
    lines += [f'  "{need}" -> "{address}"' for need, address in _edges(graph)]
    return "\n".join([*lines, "}", ""])


def _mermaid(graph: Graph, actions: Mapping[Address, Action]) -> str:
    names = {address: f"n{position}" for position, address in enumerate(graph.order)}
    lines = ["flowchart LR"]
    for address, name in names.items():
        action = actions.get(address)
        loud = "" if _quiet(action) else f"<br/><b>{action}</b>"
        lines.append(f'  {name}["{address}{loud}"]')
    lines += [f"  {names[need]} --> {names[address]}" for need, address in _edges(graph)]
    used = sorted({str(action) for action in actions.values() if not _quiet(action)})
    for action_name in used:
        members = ",".join(names[a] for a in graph.order if actions.get(a) == action_name)
        lines.append(f"  classDef {action_name} stroke:{COLOURS[action_name]},stroke-width:2px")
        lines.append(f"  class {members} {action_name}")
    return "\n".join([*lines, ""])


class _Box(NamedTuple):
    """Where a node stands: its upper left corner."""

    x: int
    y: int


def svg(graph: Graph, actions: Mapping[Address, Action]) -> str:
    """The graph as a picture: layers from left to right by the longest way, edges as curves."""
    boxes = _layout(graph)
    width = max((box.x for box in boxes.values()), default=0) + WIDTH + MARGIN
    height = max((box.y for box in boxes.values()), default=0) + HEIGHT + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'role="img" font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{len(graph.order)} resources and what they need</title>",
    ]
    parts += [_curve(boxes[need], boxes[address]) for need, address in _edges(graph)]
    parts += [_node(address, boxes[address], actions.get(address)) for address in graph.order]
    return "\n".join([*parts, "</svg>", ""])


def _layout(graph: Graph) -> dict[Address, _Box]:
    """Each node in the layer behind the last of what it needs; in a layer, near the middle of what it needs."""
    layers: dict[Address, int] = {}
    for address in graph.order:
        layers[address] = 1 + max((layers[need] for need in graph.needs[address]), default=-1)
    rows: dict[Address, float] = {}
    boxes: dict[Address, _Box] = {}
    for layer in range(max(layers.values(), default=-1) + 1):
        members = [address for address in graph.order if layers[address] == layer]
        members.sort(key=lambda address: _wanted_row(address, graph, rows))
        for row, address in enumerate(members):
            rows[address] = row
            boxes[address] = _Box(MARGIN + layer * (WIDTH + GAP_X), MARGIN + row * (HEIGHT + GAP_Y))
    return boxes


def _wanted_row(address: Address, graph: Graph, rows: Mapping[Address, float]) -> float:
    needs = [rows[need] for need in graph.needs[address]]
    return sum(needs) / len(needs) if needs else len(rows)


def _curve(start: _Box, end: _Box) -> str:
    x1, y1, x2, y2 = start.x + WIDTH, start.y + HEIGHT // 2, end.x, end.y + HEIGHT // 2
    bend = max(30, (x2 - x1) // 2)
    return f'<path d="M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}" fill="none" stroke="#cbd5e1"/>'


def _node(address: Address, box: _Box, action: Action | None) -> str:
    colour = GREY if _quiet(action) else COLOURS[str(action)]
    said = "unchanged" if _quiet(action) else str(action)
    fitting = str(address) if len(str(address)) <= 24 else f"{str(address)[:23]}…"
    return (
        f"<g><title>{escape(str(address))}: {said}</title>"
        f'<rect x="{box.x}" y="{box.y}" width="{WIDTH}" height="{HEIGHT}" rx="7" fill="#fff" stroke="{colour}"/>'
        f'<text x="{box.x + 12}" y="{box.y + 20}" fill="#0f172a">{escape(fitting)}</text>'
        f'<text x="{box.x + 12}" y="{box.y + 37}" fill="{colour}" font-size="11">{said}</text></g>'
    )
