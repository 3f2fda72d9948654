"""Diagnostics: what a user is told when something is wrong, as values.

A diagnostic says where, what, why and what to do. Views render it (`mlplan/views/`); the page of its code,
which `mlplan explain CODE` prints, stands in `mlplan/codes/`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlplan.address import Address
    from mlplan.source import Span

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


class Label(NamedTuple):
    """A marked place and the few words that stand under the mark."""

    span: Span
    text: str = ""


class Diagnostic(NamedTuple):
    """One finding. `summary` belongs to the code and never holds the user's data; `detail` does."""

    code: str  # MLP3104; its page: mlplan/codes/
    severity: Severity
    summary: str
    detail: str  # full sentences: what is wrong and why that matters
    hint: str = ""  # what to do; commands to copy stand alone on an indented line
    labels: tuple[Label, ...] = ()  # the first is the primary place
    address: Address | None = None

    @property
    def span(self) -> Span | None:
        """The primary place, where there is one."""
        return self.labels[0].span if self.labels else None


def as_typed(text: str, call: str) -> str:
    """The text with its commands to copy spelled for somebody who called mlplan as `call` (`mlplan -C demo`).

    Messages say `mlplan apply`, alone on an indented line or behind settings (`NAME=value mlplan apply`): to go on
    with the same project, profile and variables, the same options have to stand before the command again.
    """
    if call == "mlplan" or "mlplan " not in text:
        return text
    return "\n".join(_with_call(line, call) for line in text.split("\n"))


def _with_call(line: str, call: str) -> str:
    settings, is_command, command = line.partition("mlplan ")
    alone = line.startswith("    ") and all("=" in word for word in settings.split())
    asks_no_project = command.startswith(("explain MLP", "schema"))
    return f"{settings}{call} {command}" if is_command and alone and not asks_no_project else line


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them is an error."""
    return any(d.severity == "error" for d in diagnostics)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted by file, place, severity and code, each kept once: the order in which they are shown."""

    def key(d: Diagnostic) -> tuple[str, int, int, int, str, str]:
        place = d.span
        file, line, column = (place.file, place.line, place.column) if place else ("", 0, 0)
        return file, line, column, SEVERITIES.index(d.severity), d.code, d.detail

    return sorted(dict.fromkeys(diagnostics), key=key)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word closest to `word`, or None where none is close: for "did you mean"."""
    import difflib  # only when something is misspelt

    names = list(known)
    if len(names) > 16:  # difflib looks closely and slowly: let it see only those that share most pairs of letters
        pairs = _pairs(word)
        names = sorted(names, key=lambda name: -_likeness(pairs, _pairs(name)))[:8]
    matches = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return matches[0] if matches else None


@lru_cache(maxsize=4096)
def _pairs(word: str) -> frozenset[str]:
    """The pairs of neighbouring letters, word ends included."""
    framed = f" {word[:200]} "
    return frozenset(map(str.__add__, framed, framed[1:]))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))
