"""Values made safe for the place they stand in: one function, and one Jinja2 filter of its name, for each place.

A rendered file must say what the manifest says, whatever characters that holds. So a template may print nothing
but an `Escaped` (`engine.py` sees to it), and only the functions here make one. A value that a place can't hold at
all, such as a line break in an image's name, raises ValueError.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from mlplan.json_types import Json


class Escaped(str):
    """Text that is right for the place it was escaped for."""

    __slots__ = ()


IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64})?")
PLAIN_YAML = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
YAML_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
"""Words that one or the other reader of YAML takes for something else than text."""

_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def image(value: str) -> Escaped:
    """The name of an image, as FROM takes it."""
    if not IMAGE.fullmatch(value):
        raise ValueError(f"{value!r} is not the name of an image")
    return Escaped(value)


def shell(value: str) -> Escaped:
    """One word of the shell's, as RUN takes it."""
    return Escaped(shlex.quote(_one_line(value)))


def exec_form(value: Sequence[str]) -> Escaped:
    """A list of words as a JSON array, as ENTRYPOINT and CMD take it."""
    return Escaped(json.dumps([str(word) for word in value], ensure_ascii=False))


def quoted(value: object) -> Escaped:
    """A value in double quotes, as LABEL and ENV take it: a dollar stays a dollar."""
    text = _one_line(str(value))
    return Escaped('"' + re.sub(r'([\\"$])', r"\\\1", text) + '"')


def comment(value: str) -> Escaped:
    """Text after a `#`: all of it on that line."""
    return Escaped(" ".join(value.split()))


def yaml(value: Json) -> Escaped:
    """A value on one line of YAML: plain where no reader can mistake it, else quoted; lists and mappings in flow
    style."""
    if isinstance(value, str):
        plain = PLAIN_YAML.fullmatch(value) and value.lower() not in YAML_WORDS
        return Escaped(value if plain else _double_quoted(value))
    if isinstance(value, Mapping):
        return Escaped("{" + ", ".join(f"{_double_quoted(str(k))}: {yaml(v)}" for k, v in value.items()) + "}")
    if isinstance(value, Sequence):
        return Escaped("[" + ", ".join(yaml(item) for item in value) + "]")
    number = json.dumps(value, allow_nan=False)
    if isinstance(value, float) and "." not in number:  # readers of YAML 1.1 take 1e-05 for text
        number = number.replace("e", ".0e")
    return Escaped(number)


def to_json(value: Json) -> Escaped:
    """A value as JSON, two spaces to a level, in the order given."""
    return Escaped(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def _double_quoted(value: str) -> str:
    """JSON's quoting is YAML's too, once what YAML calls unprintable is spelled out."""
    return _UNPRINTABLE.sub(lambda m: f"\\u{ord(m.group()):04x}", json.dumps(value, ensure_ascii=False))


def _one_line(value: str) -> str:
    if any(c in value for c in "\n\r\0"):
        raise ValueError(f"{value!r} has a line break, which can't stand here")
    return value


FILTERS: dict[str, Any] = {
    "image": image,
    "shell": shell,
    "exec_form": exec_form,
    "quoted": quoted,
    "comment": comment,
    "yaml": yaml,
    "json": to_json,
}
"""The filters that templates use, by name."""
