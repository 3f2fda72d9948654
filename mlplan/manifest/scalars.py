"""What a plain scalar means by YAML 1.2, and what an older reader or a person may take it for instead."""

from __future__ import annotations

import re
from typing import NamedTuple

from mlplan.json_types import Json

_CORE = re.compile(
    r"(?P<null>~|null|Null|NULL|)"
    r"|(?P<true>true|True|TRUE)|(?P<false>false|False|FALSE)"
    r"|(?P<int>[-+]?[0-9]+)|(?P<octal>0o[0-7]+)|(?P<hex>0x[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<endless>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
_ELSEWHERE = re.compile(
    r"(?P<bool>yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)"
    r"|(?P<clock>[-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?)"
    r"|(?P<date>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ][0-9].*)?)"
    r"|(?P<digits>[-+]?(?:0b[01_]+|(?:0x)?[0-9][0-9]*(?:_[0-9]+)+))"
)
_MAYBE = re.compile(r"[-+.0-9ynoYNO~tfTF]|$")
"""How a scalar starts that may be more than text."""


class Meaning(NamedTuple):
    """What a plain scalar stands for."""

    value: Json
    surprise: str  # a key of SURPRISES, or ""


SURPRISES = {
    "bool": ("true or false elsewhere", "a YAML 1.1 reader takes it for true or false"),
    "clock": ("a number elsewhere", "a YAML 1.1 reader takes it for a number in base 60"),
    "date": ("a date elsewhere", "a YAML 1.1 reader takes it for a date"),
    "digits": ("a number elsewhere", "a YAML 1.1 reader takes it for a number"),
    "octal": ("octal elsewhere", "a YAML 1.1 reader takes it for an octal number"),
    "zero": ("a shorter number elsewhere", "as a number it loses its last zero"),
    "endless": ("no such number", "JSON has no such number"),
}
"""Why a scalar is surprising: a few words for its mark, and for a sentence. `endless` alone is an error."""


def meaning(text: str) -> Meaning:
    """What an unquoted scalar means."""
    if _MAYBE.match(text) is None and text != "null":
        return Meaning(text, "")
    match = _CORE.fullmatch(text)
    if match is None:
        other = _ELSEWHERE.fullmatch(text)
        return Meaning(text, str(other.lastgroup) if other else "")
    kind = match.lastgroup
    if kind == "null":
        return Meaning(None, "")
    if kind in ("true", "false"):
        return Meaning(kind == "true", "")
    if kind == "float":
        return _float(text)
    if kind == "endless":
        return Meaning(text, "endless")
    return _integer(text, str(kind))


def _float(text: str) -> Meaning:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        return Meaning(text, "endless")
    loses = text.endswith("0") and "e" not in text.lower() and repr(value) != text
    return Meaning(value, "zero" if loses else "")


def _integer(text: str, kind: str) -> Meaning:
    if len(text) > 300:  # far beyond any number that a manifest needs, and slow to read
        return Meaning(text, "endless")
    if kind == "int":
        digits = text.lstrip("+-")
        return Meaning(int(text), "octal" if len(digits) > 1 and digits[0] == "0" else "")
    return Meaning(int(text, 0), "")
