"""A YAML document as nodes that know their places. `parse.py` makes them."""

from __future__ import annotations

from typing import NamedTuple

from mlplan.json_types import Json
from mlplan.source import Source, Span

Place = tuple[int, int, int, int]
"""Line, column, end line, end column, as in a Span."""
Path = tuple[str | int, ...]
"""Keys and indexes from the root to a node."""


class Scalar:
    """One plain value."""

    __slots__ = ("place", "surprise", "text", "value")

    def __init__(self, text: str, value: Json, place: Place, surprise: str = "") -> None:
        self.text = text  # as written, without quotes
        self.value = value  # by YAML 1.2
        self.place = place
        self.surprise = surprise  # what another reader takes it for; a key of `surprises.OTHERS`


class Items:
    """A list."""

    __slots__ = ("items", "place")

    def __init__(self, place: Place) -> None:
        self.items: list[Node] = []
        self.place = place


class Mapping:
    """A mapping; keys are text as written, in order, each once."""

    __slots__ = ("entries", "place")

    def __init__(self, place: Place) -> None:
        self.entries: dict[str, Entry] = {}
        self.place = place


class Entry(NamedTuple):
    """A key and its value."""

    key: Scalar
    value: Node


Node = Scalar | Items | Mapping


class Document(NamedTuple):
    """One file, parsed."""

    source: Source
    root: Mapping

    def span(self, node: Node) -> Span:
        """Where a node stands."""
        return Span(self.source.file, *node.place)


def value_of(node: Node) -> Json:
    """The plain value that a node stands for."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Mapping):
        return {key: value_of(entry.value) for key, entry in node.entries.items()}
    return [value_of(item) for item in node.items]


def at(root: Node, path: Path) -> Node:
    """The node at a path that exists."""
    node = root
    for step in path:
        if isinstance(node, Mapping) and isinstance(step, str):
            node = node.entries[step].value
        elif isinstance(node, Items) and isinstance(step, int):
            node = node.items[step]
        else:
            raise KeyError(path)
    return node


def key_at(root: Node, path: Path) -> Node:
    """The key that leads to the node at a path; the list's item itself, or the root, where there is no key."""
    if not path:
        return root
    parent = at(root, path[:-1])
    last = path[-1]
    return parent.entries[last].key if isinstance(parent, Mapping) and isinstance(last, str) else at(root, path)
