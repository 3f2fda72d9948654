"""What stands in the manifest before anything is filled in: the text of a field, where a variable gets its value."""

from __future__ import annotations

from typing import NamedTuple

from mlplan.manifest.nodes import Document, Mapping, Node, Scalar, at
from mlplan.manifest.references import find
from mlplan.source import Span


class Written(NamedTuple):
    """A manifest as its author wrote it, with its profile merged."""

    document: Document

    def mentions_in(self, path: str) -> list[tuple[str, str]]:
        """What the field at a dotted path mentions, in it or below it: ("var", "rate"), ("env", "HOME")."""
        found: dict[tuple[str, str], None] = {}
        waiting = [self._node(path)]
        while waiting:
            node = waiting.pop()
            if isinstance(node, Mapping):
                waiting += [entry.value for entry in node.entries.values()]
            elif isinstance(node, Scalar):
                found.update(((mention.scope, mention.name), None) for mention in find(node.text))
            elif node is not None:
                waiting += node.items
        return list(found)

    def default_of(self, variable: str) -> Span | None:
        """Where a variable's default stands; None where it has none."""
        node = self._node(f"variables.{variable}.default")
        return self.document.span(node) if node is not None else None

    def _node(self, path: str) -> Node | None:
        steps = [int(step) if step.isdigit() else step for step in path.split(".")]
        try:
            return at(self.document.root, tuple(steps))
        except (KeyError, IndexError):
            return None


def written(data: bytes, file: str, profile: str) -> Written | None:
    """The manifest that these bytes spell; None where they spell none."""
    from mlplan.manifest.parse import parse
    from mlplan.manifest.profiles import with_profile

    document = parse(data, file).document
    return Written(with_profile(document, profile)[0]) if document is not None else None
