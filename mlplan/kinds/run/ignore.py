"""Ignore files by git's rules, as one compiled pattern per line. Pure.

`plan` reads them each time, and `pathspec` costs 40 ms to import: as much as all the rest of a plan with nothing to
do. The rules are small and fixed, and a test holds them against git itself.

Rules: blank lines and `#` say nothing; `!` takes back; a slash at the beginning or inside ties the pattern to the
folder, otherwise it counts at any depth; a slash at the end means folders alone; `*`, `?`, `[a-z]` stop at a slash,
`**` doesn't; `\\` takes the next character as it is. The last pattern that fits decides, and what lies in a folder
that is left out can't be taken back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Rule(NamedTuple):
    """One line of an ignore file."""

    fits: re.Pattern[str]  # the whole path from the folder that the file stands in, without a slash at its end
    ignored: bool  # False for a line that begins with "!"
    folders_only: bool


def read_rules(lines: Iterable[str]) -> tuple[Rule, ...]:
    """The rules of an ignore file, in its order. A line that git takes for broken fits nothing, and is left out."""
    rules = (_rule(line) for line in lines)
    return tuple(rule for rule in rules if rule is not None)


def is_ignored(path: str, *, folder: bool, rules: Sequence[Rule]) -> bool:
    """Whether the last rule that fits the path leaves it out. The folders above it are the caller's matter."""
    for rule in reversed(rules):
        if (folder or not rule.folders_only) and rule.fits.fullmatch(path):
            return rule.ignored
    return False


def _rule(line: str) -> Rule | None:
    pattern = _without_trailing_spaces(line.rstrip("\n").removesuffix("\r"))
    if not pattern or pattern.startswith("#"):
        return None
    ignored = not pattern.startswith("!")
    if not ignored:
        pattern = pattern[1:]
    folders_only = pattern.endswith("/")
    if folders_only:
        pattern = pattern[:-1]
    anchored = "/" in pattern
    expression = _expression(pattern.removeprefix("/"))
    if not pattern or pattern == "/" or expression is None:
        return None
    return Rule(re.compile(expression if anchored else f"(?:.*/)?{expression}", re.DOTALL), ignored, folders_only)


def _without_trailing_spaces(line: str) -> str:
    stripped = line.rstrip(" ")
    backslashes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped + " " if backslashes % 2 and len(stripped) < len(line) else stripped


def _expression(pattern: str) -> str | None:
    """The pattern as a regular expression, or None where it can fit nothing."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "*":
            end = at
            while end < len(pattern) and pattern[end] == "*":
                end += 1
            out.append(_stars(pattern, at, end))
            at = end + 1 if out[-1] == _ANY_FOLDERS else end
        elif char == "[":
            found = _bracket(pattern, at)
            if found is None:
                return None
            expression, at = found
            out.append(expression)
        elif char == "\\":
            if at + 1 == len(pattern):
                return None
            out.append(re.escape(pattern[at + 1]))
            at += 2
        else:
            out.append("[^/]" if char == "?" else re.escape(char))
            at += 1
    return "".join(out)


_ANY_FOLDERS = "(?:.*/)?"


def _stars(pattern: str, start: int, end: int) -> str:
    """What a row of stars fits. Two of them as a whole segment reach over folders, anything else stays in one."""
    begins = start == 0 or pattern[start - 1] == "/"
    if end - start == 2 and begins:
        if end == len(pattern):
            return ".+" if start else ".*"
        if pattern[end] == "/":
            return _ANY_FOLDERS  # and the slash after it
    return "[^/]*"


_CLASSES = {
    "alnum": "A-Za-z0-9", "alpha": "A-Za-z", "blank": r" \t", "cntrl": r"\x00-\x1f\x7f", "digit": "0-9",
    "graph": r"\x21-\x7e", "lower": "a-z", "print": r"\x20-\x7e", "punct": r"!-/:-@\[-`{-~", "space": r"\s",
    "upper": "A-Z", "xdigit": "A-Fa-f0-9",
}  # fmt: skip


def _bracket(pattern: str, start: int) -> tuple[str, int] | None:
    """The class that begins at `[`, and where it ends; None where it is broken."""
    at = start + 1
    negated = pattern[at : at + 1] in ("!", "^")
    at += negated
    members: list[str] = []
    first = True
    while first or pattern[at : at + 1] != "]":
        first = False
        if pattern.startswith("[:", at) and (end := pattern.find(":]", at)) > 0:
            name = pattern[at + 2 : end]
            if name not in _CLASSES:
                return None
            members.append(_CLASSES[name])
            at = end + 2
            continue
        low, at = _member(pattern, at)
        if low is None:
            return None
        high = low
        if pattern[at : at + 1] == "-" and pattern[at + 1 : at + 2] not in ("]", ""):
            end_of_range, at = _member(pattern, at + 1)
            if end_of_range is None:
                return None
            high = end_of_range
        if low <= high:
            members.append(f"{re.escape(low)}-{re.escape(high)}")
    inside = "".join(members)
    if negated:
        return f"[^/{inside}]", at + 1
    return (f"(?!/)[{inside}]" if inside else "(?!)"), at + 1


def _member(pattern: str, at: int) -> tuple[str | None, int]:
    if pattern[at : at + 1] == "\\":
        at += 1
    return (pattern[at], at + 1) if at < len(pattern) else (None, at)
