"""What BuildKit tells while it builds: protobuf messages in the engine's stream, decoded by hand.

Only three fields of two messages are of use (`moby.buildkit.v1.StatusResponse`: vertexes with their names, and lines
that steps printed), which is no reason to carry a protobuf library.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import NamedTuple

Fields = dict[int, list[bytes]]


class Step(NamedTuple):
    """A step of the build, as it is now."""

    digest: str
    name: str  # "[deps 3/5] RUN ..."
    cached: bool
    started: bool
    error: str


class Printed(NamedTuple):
    """Something that a step printed."""

    digest: str  # of the step
    text: str


def decode(aux: str) -> Iterator[Step | Printed]:
    """What one message of the stream says, in order: steps first."""
    response = _fields(base64.b64decode(aux))
    for vertex in response.get(1, ()):
        fields = _fields(vertex)
        yield Step(_text(fields, 1), _text(fields, 3), bool(_text(fields, 4)), 5 in fields, _text(fields, 7))
    for log in response.get(3, ()):
        fields = _fields(log)
        yield Printed(_text(fields, 1), _text(fields, 4))


def _text(fields: Fields, number: int) -> str:
    return fields[number][-1].decode(errors="replace") if number in fields else ""


def _fields(message: bytes) -> Fields:
    """The fields of a message by number. A number's bytes stand for it; it is only asked whether there is one."""
    found: Fields = {}
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            content = b"1" if value else b""
        elif kind == 2:
            size, at = _varint(message, at)
            content, at = message[at : at + size], at + size
        else:
            size = {1: 8, 5: 4}[kind]
            content, at = message[at : at + size], at + size
        found.setdefault(tag >> 3, []).append(content)
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
