"""Where the boxes of a layered drawing stand and how its edges go. Numbers in, numbers out; knows no resource.

Each node stands in the layer behind the last of what it needs; what needs nothing, just before the first that needs
it. An edge that passes layers gets a lane through each, so that it goes around boxes and not under them. The order in
a layer, and then the heights, follow the neighbours.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

N = TypeVar("N", bound=Hashable)

SWEEPS = 4
"""How often orders and heights are improved. More changes nothing that a reader would see."""

LANE = 12
"""The height of an edge's lane through a layer. In pixels."""


class Box(NamedTuple):
    """Where something stands: its upper left corner. In pixels."""

    x: int
    y: int


class Size(NamedTuple):
    """Of boxes, and of the gaps between them. In pixels."""

    width: int
    height: int
    gap_x: int
    gap_y: int


class Layout(NamedTuple):
    """A finished drawing, without its margins."""

    boxes: Mapping[Hashable, Box]
    routes: Mapping[tuple[Hashable, Hashable], tuple[Box, ...]]  # for each edge, the middles of its lanes
    width: int
    height: int


class _Slot(NamedTuple):
    """What takes room in a layer: a node, or the lane of an edge."""

    layer: int
    what: Hashable  # the node, or the edge

    def height(self, size: Size) -> int:
        return LANE if isinstance(self.what, _Edge) else size.height


class _Edge(NamedTuple):
    start: Hashable
    end: Hashable


def lay_out(order: Sequence[N], needs: Mapping[N, Sequence[N]], size: Size) -> Layout:
    """The drawing of a graph given in an order in which each node comes after all that it needs."""
    layer_of = _layers(order, needs)
    layers: list[list[_Slot]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    neighbours: dict[_Slot, list[_Slot]] = {}
    for node in order:
        layers[layer_of[node]].append(_Slot(layer_of[node], node))
    for start, end in ((need, node) for node in order for need in needs[node]):
        path = list(_path(_Edge(start, end), layer_of))
        for slot in path[1:-1]:
            layers[slot.layer].append(slot)
        for left, right in pairwise(path):
            neighbours.setdefault(left, []).append(right)
            neighbours.setdefault(right, []).append(left)
    _untangle(layers, neighbours)
    middles = _heights(layers, neighbours, size)
    return _placed(layers, middles, size)


def _layers(order: Sequence[N], needs: Mapping[N, Sequence[N]]) -> dict[Hashable, int]:
    """The layer of each node. One that needs nothing stands just before the first that needs it."""
    layer_of: dict[Hashable, int] = {}
    nearest: dict[Hashable, int] = {}
    for node in order:
        layer_of[node] = 1 + max((layer_of[need] for need in needs[node]), default=-1)
        for need in needs[node]:
            nearest[need] = min(nearest.get(need, layer_of[node]), layer_of[node])
    return {node: layer_of[node] if needs[node] else max(nearest.get(node, 0) - 1, 0) for node in order}


def _path(edge: _Edge, layer_of: Mapping[Hashable, int]) -> Iterator[_Slot]:
    """The slots that an edge goes through, its ends included."""
    first, last = layer_of[edge.start], layer_of[edge.end]
    yield _Slot(first, edge.start)
    for layer in range(first + 1, last):
        yield _Slot(layer, edge)
    yield _Slot(last, edge.end)


def _untangle(layers: list[list[_Slot]], neighbours: Mapping[_Slot, list[_Slot]]) -> None:
    """Sorts each layer by where its neighbours stand, from the left and from the right in turn."""
    rank = {slot: float(row) for layer in layers for row, slot in enumerate(layer)}
    for sweep in range(SWEEPS):
        towards = -1 if sweep % 2 == 0 else 1
        for layer in layers if towards < 0 else reversed(layers):
            wanted = {}
            for slot in layer:
                near = [rank[other] for other in neighbours.get(slot, ()) if other.layer == slot.layer + towards]
                wanted[slot] = sum(near) / len(near) if near else rank[slot]
            layer.sort(key=wanted.__getitem__)
            for row, slot in enumerate(layer):
                rank[slot] = float(row)


def _heights(
    layers: Sequence[Sequence[_Slot]], neighbours: Mapping[_Slot, list[_Slot]], size: Size
) -> dict[_Slot, float]:
    """The middle of each slot: as near to its neighbours' as the slots above it allow."""
    middles: dict[_Slot, float] = {}
    for layer in layers:
        _stack(layer, {}, middles, size)
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 else list(reversed(layers)):
            wanted = {}
            for slot in layer:
                near = [middles[other] for other in neighbours.get(slot, ())]
                wanted[slot] = sum(near) / len(near) if near else middles[slot]
            _stack(layer, wanted, middles, size)
    return middles


def _stack(layer: Sequence[_Slot], wanted: Mapping[_Slot, float], middles: dict[_Slot, float], size: Size) -> None:
    """Places a layer's slots in their order, none over another, together as near as can be to where they want."""
    offsets: list[float] = []
    edge = 0.0
    for slot in layer:
        offsets.append(edge + slot.height(size) / 2)
        edge += slot.height(size) + size.gap_y
    shifts = [wanted.get(slot, offset) - offset for slot, offset in zip(layer, offsets, strict=True)]
    for slot, offset, shift in zip(layer, offsets, _ascending(shifts), strict=True):
        middles[slot] = offset + shift


def _ascending(values: Sequence[float]) -> list[float]:
    """The nearest values that never fall: neighbours in the wrong order take their mean."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        mean, count = value, 1
        while blocks and blocks[-1][0] > mean:
            above, number = blocks.pop()
            mean, count = (above * number + mean * count) / (number + count), number + count
        blocks.append((mean, count))
    return [mean for mean, count in blocks for _ in range(count)]


def _placed(layers: Sequence[Sequence[_Slot]], middles: Mapping[_Slot, float], size: Size) -> Layout:
    """Whole pixels, from (0, 0)."""
    top = min((middles[slot] - slot.height(size) / 2 for layer in layers for slot in layer), default=0)
    bottom = max((middles[slot] + slot.height(size) / 2 for layer in layers for slot in layer), default=0)
    boxes: dict[Hashable, Box] = {}
    lanes: dict[tuple[Hashable, Hashable], list[Box]] = {}
    for index, layer in enumerate(layers):
        x = index * (size.width + size.gap_x)
        for slot in layer:
            middle = middles[slot] - top
            if isinstance(slot.what, _Edge):
                lanes.setdefault((slot.what.start, slot.what.end), []).append(Box(x, round(middle)))
            else:
                boxes[slot.what] = Box(x, round(middle - size.height / 2))
    width = max(len(layers) * (size.width + size.gap_x) - size.gap_x, 0)
    return Layout(boxes, {edge: tuple(found) for edge, found in lanes.items()}, width, round(bottom - top))
