"""Composes YAML to nodes with places. Any bytes come back as a document or as diagnostics.

PyYAML reads the events; the nodes are made here and not by its composer, so that nothing is lost (duplicate keys,
how a value was written), nothing recurses, and nothing expands without bound. Scalars mean what YAML 1.2 says.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, NoReturn

from mlplan.codes import read as codes
from mlplan.diagnostics import Diagnostic, Label, nearest
from mlplan.manifest.nodes import Document, Entry, Items, Mapping, Node, Place, Scalar
from mlplan.manifest.scalars import SURPRISES, meaning
from mlplan.manifest.unreadable import empty, forbidden_character, no_mapping, not_utf8, syntax
from mlplan.source import Source, Span

MAX_DEPTH = 40
"""How deep a manifest may be nested; its own shape needs 8."""
MAX_NODES = 200_000
"""How many nodes it may expand to through aliases."""

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STR_TAGS = (None, "!", "tag:yaml.org,2002:str")
_TREE_TAGS = (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class Parsed(NamedTuple):
    """What parsing gives: no document where the text isn't YAML, or is no mapping."""

    source: Source
    document: Document | None
    diagnostics: list[Diagnostic]
    surprises: list[Scalar]  # scalars, keys too, that others read differently


def parse(data: bytes, file: str) -> Parsed:
    """The document that these bytes hold. Never raises."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        source = Source(file, data.decode("utf-8", "replace"))
        return _refused(source, not_utf8(source, data, error))
    source = Source(file, text.removeprefix("\ufeff"))
    forbidden = _FORBIDDEN.search(source.text)
    if forbidden:
        return _refused(source, forbidden_character(source, forbidden.start()))
    composer = _Composer(source)
    composer.run()
    document = None
    if composer.root is None:
        if not composer.diagnostics:
            composer.diagnostics.append(empty(source))
    elif isinstance(composer.root, Mapping):
        document = Document(source, composer.root)
    elif isinstance(composer.root, Scalar) and composer.root.value is None:
        composer.diagnostics.append(empty(source))
    else:
        composer.diagnostics.append(no_mapping(source, composer.root))
    return Parsed(source, document, composer.diagnostics, composer.surprises)


def _refused(source: Source, *diagnostics: Diagnostic) -> Parsed:
    return Parsed(source, None, list(diagnostics), [])


class _Frame:
    """A list or mapping that is still open."""

    __slots__ = ("anchor", "block", "end", "key", "merged", "node", "size")

    def __init__(self, node: Items | Mapping, anchor: str | None, block: bool) -> None:
        self.node = node
        self.anchor = anchor
        self.block = block
        self.key: Scalar | None = None  # read, its value not yet
        self.merged: list[Mapping] = []  # what `<<` would have merged
        self.size = 1  # nodes, aliases expanded
        self.end = node.place[2:]


class _Anchored(NamedTuple):
    node: Node
    size: int


class _Stop(Exception):
    """Ends composing: what follows can't be read."""


class _Composer:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.root: Node | None = None
        self.diagnostics: list[Diagnostic] = []
        self.surprises: list[Scalar] = []
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchored | None] = {}  # None: still open
        self._documents = 0
        lines = source.lines()
        self._end_of_file = (len(lines), len(lines[-1]) + 1)

    def run(self) -> None:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(self.source.text)
        take = {
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: self._mapping_start,
            yaml.SequenceStartEvent: self._sequence_start,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.DocumentStartEvent: self._document_start,
        }
        try:
            while (event := loader.get_event()) is not None and not isinstance(event, yaml.StreamEndEvent):
                handle = take.get(type(event))
                if handle is not None:
                    handle(event)
        except yaml.MarkedYAMLError as error:
            self.root = None
            self.diagnostics.append(syntax(self.source, error))
        except yaml.YAMLError as error:
            self.root = None
            self.diagnostics.append(codes.MLP1005.diagnostic(f"The YAML reader gave up: {error}."))
        except _Stop:
            self.root = None
        finally:
            loader.dispose()

    def _document_start(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop(
                codes.MLP1007.diagnostic(
                    "A second document starts here. A manifest is one document, so what follows would be lost.",
                    hint="Delete this `---`, or put what follows into a file of its own.",
                    labels=[self._label(self._place(event), "a second document")],
                )
            )

    def _scalar(self, event: Any) -> None:
        place = self._place(event)
        text = event.value
        if event.tag not in _STR_TAGS:
            self._report_tag(event)
        if "\0" in text:
            self._report_nul(place)
        if event.implicit[0] and event.tag is None:
            value, surprise = meaning(text)
        else:
            value, surprise = text, ""
        node = Scalar(text, value, place, surprise)
        if surprise:
            self._surprising(node)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(node, 1)
        self._add(node, 1, place[2:])

    def _report_nul(self, place: Place) -> None:
        self.diagnostics.append(
            codes.MLP1014.diagnostic(
                "The value holds the character U+0000. No path, argument or environment variable can hold it.",
                hint="Delete it.",
                labels=[self._label(place, "holds U+0000")],
            )
        )

    def _surprising(self, node: Scalar) -> None:
        if node.surprise != "endless":
            self.surprises.append(node)
            return
        self.diagnostics.append(
            codes.MLP1017.diagnostic(
                f"`{_short(node.text)}` is beyond the numbers that a manifest can hold.",
                hint="Write a number that fits, or quote it if it is text.",
                labels=[self._label(node.place, SURPRISES["endless"][0])],
            )
        )

    def _mapping_start(self, event: Any) -> None:
        self._open(Mapping(self._place(event)), event)

    def _sequence_start(self, event: Any) -> None:
        self._open(Items(self._place(event)), event)

    def _open(self, node: Items | Mapping, event: Any) -> None:
        if event.tag not in _TREE_TAGS:
            self._report_tag(event)
        if len(self._frames) >= MAX_DEPTH:
            self._stop(
                codes.MLP1016.diagnostic(
                    f"Lists and mappings are nested more than {MAX_DEPTH} deep here; a manifest needs 8.",
                    hint="Close the brackets that were opened before.",
                    labels=[self._label(node.place, "too deep")],
                )
            )
        if event.anchor:
            self._anchors[event.anchor] = None
        self._frames.append(_Frame(node, event.anchor, not event.flow_style))

    def _end(self, event: Any) -> None:
        frame = self._frames.pop()
        if not frame.block:
            frame.end = self._place(event)[2:]
        frame.node.place = (*frame.node.place[:2], *frame.end)  # a block would reach to the next token
        for mapping in frame.merged:  # reported, but then what is missing isn't reported too
            if isinstance(frame.node, Mapping):
                frame.node.entries = {**mapping.entries, **frame.node.entries}
        if frame.anchor:
            self._anchors[frame.anchor] = _Anchored(frame.node, frame.size)
        self._add(frame.node, frame.size, frame.end)

    def _alias(self, event: Any) -> None:
        place = self._place(event)
        if event.anchor not in self._anchors:
            near = nearest(event.anchor, self._anchors)
            self._stop(
                codes.MLP1018.diagnostic(
                    f"`*{event.anchor}` repeats what `&{event.anchor}` marks, but nothing above is marked so.",
                    hint=f"Did you mean `*{near}`?" if near else f"Quote it if it is text: '*{event.anchor}'.",
                    labels=[self._label(place, "no such anchor")],
                )
            )
        anchored = self._anchors[event.anchor]
        if anchored is None:
            self._stop(
                codes.MLP1009.diagnostic(
                    f"`*{event.anchor}` stands inside what it repeats, so it would never end.",
                    hint="Write the value out.",
                    labels=[self._label(place, "repeats what it is part of")],
                )
            )
        self._add(anchored.node, anchored.size, place[2:], place)

    def _add(self, node: Node, size: int, end: tuple[int, int], alias: Place | None = None) -> None:
        if not self._frames:
            self.root = node
            return
        frame = self._frames[-1]
        frame.size += size
        frame.end = end
        if frame.size > MAX_NODES:
            self._stop(
                codes.MLP1009.diagnostic(
                    f"Through its aliases the file grows beyond {MAX_NODES:,} values here.",
                    hint="Write the values out, or repeat fewer of them.",
                    labels=[self._label(alias or node.place, "grows too large")],
                )
            )
        if isinstance(frame.node, Items):
            frame.node.items.append(node)
        elif frame.key is None:
            frame.key = self._key(node)
        else:
            self._entry(frame, frame.node, frame.key, node)
            frame.key = None

    def _key(self, node: Node) -> Scalar:
        if not isinstance(node, Scalar) or not node.text:
            self.diagnostics.append(
                codes.MLP1012.diagnostic(
                    "A key is a word; this one is empty, a list or a mapping.",
                    hint="Quote it if it is text: braces and brackets have a meaning in YAML.",
                    labels=[self._label(node.place, "not a plain word")],
                )
            )
            return Scalar("", None, node.place)
        return node

    def _entry(self, frame: _Frame, mapping: Mapping, key: Scalar, value: Node) -> None:
        if key.value is None and not key.text:
            return  # reported as a key
        if key.text == "<<":
            self.diagnostics.append(
                codes.MLP1010.diagnostic(
                    "`<<` merges mappings in YAML 1.1 only. By YAML 1.2 it is a key like any other.",
                    hint="Write the keys out, or use a profile for variants of the project.",
                    labels=[self._label(key.place, "not merged")],
                )
            )
            frame.merged += [
                node for node in (value.items if isinstance(value, Items) else [value]) if isinstance(node, Mapping)
            ]
            return
        first = mapping.entries.get(key.text)
        if first is not None:
            self.diagnostics.append(
                codes.MLP1008.diagnostic(
                    f"`{_short(key.text)}` stands twice in the same mapping, so one of the two would be lost.",
                    hint="Keep one of them, or rename one.",
                    labels=[
                        self._label(key.place, "the second time"),
                        self._label(first.key.place, "the first time"),
                    ],
                )
            )
            return
        mapping.entries[key.text] = Entry(key, value)

    def _report_tag(self, event: Any) -> None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        self.diagnostics.append(
            codes.MLP1011.diagnostic(
                f"The tag `{_short(tag)}` has no meaning in a manifest.",
                hint="Delete the tag and write the value as it is; quote it where it is text.",
                labels=[self._label(self._place(event), "tagged")],
            )
        )

    def _place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        begin = min(
            (start.line + 1, start.column + 1), self._end_of_file
        )  # the reader counts a last line end that isn't there
        return (*begin, *min((end.line + 1, end.column + 1), self._end_of_file))

    def _label(self, place: Place, text: str) -> Label:
        return Label(Span(self.source.file, *place), text)

    def _stop(self, diagnostic: Diagnostic) -> NoReturn:
        self.diagnostics.append(diagnostic)
        raise _Stop


def _short(text: str) -> str:
    """User's text as it may stand in a sentence."""
    line = text.splitlines()[0] if text else ""
    return line if len(line) <= 60 else f"{line[:57]}..."
