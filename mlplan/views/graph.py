"""The graph of a project, drawn: DOT, Mermaid, or an SVG of our own. What needs others stands to the right of them.

Pure and deterministic: the same graph gives the same bytes. Where the boxes of the SVG stand: `layout.py`.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from mlplan.views.layout import Box, Size, lay_out
from mlplan.views.words import ACTION_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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

FAT = ' font-weight="600"'
SIZE = Size(width=186, height=48, gap_x=64, gap_y=16)
MARGIN = 16
"""Around the picture. In pixels."""


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


def svg(graph: Graph, actions: Mapping[Address, Action]) -> str:
    """The graph as a picture that stands alone: what is needed on the left, who needs it on the right."""
    drawn = lay_out(graph.order, graph.needs, SIZE)
    width, height = drawn.width + 2 * MARGIN, drawn.height + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'role="img" font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{len(graph.order)} resources and what they need</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0.5 L7.5 4 L0 7.5 z" fill="#94a3b8"/></marker></defs>',
        f'<g transform="translate({MARGIN} {MARGIN})">',
    ]
    parts += [
        _edge(need, drawn.boxes[need], drawn.routes.get((need, address), ()), drawn.boxes[address])
        for need, address in _edges(graph)
    ]
    parts += [_node(address, drawn.boxes[address], actions.get(address)) for address in graph.order]
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _edge(need: Address, start: Box, lanes: Iterable[Box], end: Box) -> str:
    """A curve through the lanes; dashed where it only says on which compute something is."""
    x, y = start.x + SIZE.width, start.y + SIZE.height // 2
    path = f"M{x} {y}"
    for lane in lanes:
        path += f"{_bend(x, y, lane.x, lane.y)} H{lane.x + SIZE.width}"
        x, y = lane.x + SIZE.width, lane.y
    path += _bend(x, y, end.x - 2, end.y + SIZE.height // 2)
    dashed = ' stroke-dasharray="3 4"' if need.kind == "compute" else ""
    return f'<path d="{path}" fill="none" stroke="#94a3b8" stroke-width="1.3"{dashed} marker-end="url(#tip)"/>'


def _bend(x1: int, y1: int, x2: int, y2: int) -> str:
    middle = (x1 + x2) // 2
    return f" C{middle} {y1} {middle} {y2} {x2} {y2}"


def _node(address: Address, box: Box, action: Action | None) -> str:
    quiet = action is None or _quiet(action)
    colour = GREY if quiet else COLOURS[str(action)]
    said = "unchanged" if action is None or quiet else f"{ACTION_WORDS[action].symbol} {action}"
    name = _fitting(address.name, 21)
    return (
        f"<g><title>{escape(str(address))}: {said}</title>"
        f'<rect x="{box.x}" y="{box.y}" width="{SIZE.width}" height="{SIZE.height}" rx="8" fill="#fff"/>'
        f'<rect x="{box.x}" y="{box.y}" width="{SIZE.width}" height="{SIZE.height}" rx="8" fill="{colour}" '
        f'fill-opacity="{"0.04" if quiet else "0.1"}" stroke="{colour}" stroke-width="{"1" if quiet else "1.6"}"/>'
        f'<text x="{box.x + 12}" y="{box.y + 18}" fill="#64748b" font-size="11">{address.kind}</text>'
        f'<text x="{box.x + SIZE.width - 12}" y="{box.y + 18}" fill="{colour}" font-size="11" text-anchor="end"'
        f"{'' if quiet else FAT}>{said}</text>"
        f'<text x="{box.x + 12}" y="{box.y + 37}" fill="#0f172a"{"" if quiet else FAT}>{escape(name)}</text></g>'
    )


def _fitting(name: str, length: int) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"
