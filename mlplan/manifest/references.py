"""Finds `${{ ... }}` in strings and fills it in.

A reference names one value, it is no program: `var.NAME`, `env.NAME`, `secret.NAME`, or an attribute of a resource.
The kinds use this too, for what stays in resolved specs: resources' attributes and secrets.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlplan.json_types import Json

VALUES = ("var", "env", "secret")
"""The scopes that are no resources."""
ATTRIBUTES = {
    "dataset": ("path", "version", "digest"),
    "run": ("outputs", "id", "metrics.NAME"),
    "model": ("version", "path", "digest"),
    "deployment": ("scoring_uri",),
}
"""What each kind tells; `metrics.NAME` stands for any metric."""

_OPEN = "${{"
_MENTION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_INSIDE = re.compile(r"\s*([a-z]+)\.([A-Za-z0-9_-]+)(?:\.([^\s{}]+))?\s*")


class Mention(NamedTuple):
    """One `${{ scope.name.attribute }}` in a string. A malformed one has the scope ""."""

    start: int  # offsets in the string
    end: int
    scope: str  # "var", "env", "secret" or a kind
    name: str
    attribute: str  # "path", "metrics.accuracy"; "" where there is none


def find(text: str) -> list[Mention]:
    """All mentions in a string, in order."""
    if _OPEN not in text:
        return []
    found = []
    for match in _MENTION.finditer(text):
        inside = _INSIDE.fullmatch(match[1])
        scope, name, attribute = inside.groups() if inside else ("", match[1].strip(), None)
        found.append(Mention(match.start(), match.end(), scope, name, attribute or ""))
    rest = text.rfind(_OPEN)
    if rest >= (found[-1].end if found else 0):  # never closed
        found.append(Mention(rest, len(text), "", text[rest + len(_OPEN) :].strip(), ""))
    return found


def has_attribute(mention: Mention) -> bool:
    """Whether the resource of a mention tells what it asks for."""
    known = ATTRIBUTES.get(mention.scope, ())
    if mention.attribute.startswith("metrics."):
        return "metrics.NAME" in known and len(mention.attribute) > len("metrics.")
    return mention.attribute in known and mention.attribute != "metrics.NAME"


def substitute(text: str, value_of: Callable[[Mention], Json]) -> Json:
    """The string with each mention replaced by its value.

    A string that is one mention and nothing else becomes the value itself, of whatever type. A mention for which
    `value_of` gives its own text back stays.
    """
    mentions = find(text)
    if not mentions:
        return text
    if len(mentions) == 1 and mentions[0].start == 0 and mentions[0].end == len(text):
        return value_of(mentions[0])
    parts, at = [], 0
    for mention in mentions:
        parts += [text[at : mention.start], as_text(value_of(mention))]
        at = mention.end
    return "".join([*parts, text[at:]])


def substitute_all(value: Json, value_of: Callable[[Mention], Json]) -> Json:
    """`substitute` for each string inside a value."""
    if isinstance(value, str):
        return substitute(value, value_of)
    if isinstance(value, dict):
        return {key: substitute_all(inner, value_of) for key, inner in value.items()}
    if isinstance(value, list):
        return [substitute_all(inner, value_of) for inner in value]
    return value


def as_text(value: Json) -> str:
    """A value as it stands inside a longer string: `true`, `0.01`, text as it is."""
    if isinstance(value, str):
        return value
    import json

    return json.dumps(value, ensure_ascii=False)
