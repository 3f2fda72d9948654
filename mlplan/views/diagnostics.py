"""Diagnostics as text for people, with the marked line or one line each; and what all their forms share.

The other forms stand beside this: `diagnostics_json.py`, `_sarif`, `_github`, `_gitlab`, `_junit`, `_markdown`. How
a marked line is drawn: `excerpts.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.diagnostics import SEVERITIES
from mlplan.views.excerpts import marked, on_one_line, view, visible
from mlplan.views.values import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplan.diagnostics import Diagnostic, Label, Severity
    from mlplan.source import Source

_COLORS = {"error": "31", "warning": "33", "note": "36"}
_QUIET = "34"  # gutters, secondary marks


def render_text(
    diagnostics: Sequence[Diagnostic], sources: Sequence[Source], *, color: bool = False, width: int = 80
) -> str:
    """All of them, each with its lines, and how many there are; ends in a line end. Empty for none.

    `width` counts columns: sentences are wrapped at it, long lines are cut around their mark.
    """
    if not diagnostics:
        return ""
    page = Page(sources, color=color, width=width)
    blocks = [page.block(diagnostic) for diagnostic in diagnostics]
    total = f"{counts(diagnostics)}. To read more: mlplan explain {by_severity(diagnostics)[0].code}"
    return "\n\n".join([*blocks, total]) + "\n"


def render_concise(diagnostics: Sequence[Diagnostic]) -> str:
    """One line each: `mlplan.yaml:27:14: error[MLP3104] Unknown compute: ...`."""
    return "".join(f"{concise_line(diagnostic)}\n" for diagnostic in diagnostics)


def concise_line(diagnostic: Diagnostic) -> str:
    """One diagnostic on one line."""
    where = f"{on_one_line(str(diagnostic.span))}: " if diagnostic.span else ""
    detail = " ".join(diagnostic.detail.split())
    return f"{where}{diagnostic.severity}[{diagnostic.code}] {diagnostic.summary}: {visible(detail)}"


def counts(diagnostics: Sequence[Diagnostic]) -> str:
    """How many there are: `2 errors, 1 warning`."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    return ", ".join(counted(severities.count(each), each) for each in SEVERITIES if each in severities)


def by_severity(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The most severe first, else in their order."""
    return sorted(diagnostics, key=lambda diagnostic: SEVERITIES.index(diagnostic.severity))


def in_repository(file: str, prefix: str) -> str:
    """A file's path as a forge knows it. `prefix` leads from the repository's root to the project's folder."""
    return f"{prefix.rstrip('/')}/{file}" if prefix else file


class Page:
    """Draws diagnostics with what all of them share: the lines, the colour, the width."""

    def __init__(self, sources: Sequence[Source], *, color: bool = False, width: int = 80) -> None:
        self._lines = {source.file: source.lines() for source in sources}
        self._color = color
        self._width = max(width, 40)

    def block(self, diagnostic: Diagnostic) -> str:
        """One diagnostic, without a line end."""
        head = self._paint(f"{diagnostic.severity}[{diagnostic.code}]", _COLORS[diagnostic.severity], bold=True)
        rows = [f"{head}{self._paint(f': {diagnostic.summary}', '', bold=True)}"]
        if diagnostic.labels:
            rows += self._excerpts(diagnostic.labels, diagnostic.severity)
        rows += ["", *self._sentences(visible(diagnostic.detail), "")]
        if diagnostic.hint:
            rows += ["", *self._sentences(visible(diagnostic.hint), "hint: ")]
        return "\n".join(rows)

    def _excerpts(self, labels: Sequence[Label], severity: Severity) -> list[str]:
        """The marked lines, the primary one first; a line that carries several marks is shown once."""
        gutter = max(len(str(label.span.line)) for label in labels)
        rows = [f"{' ' * gutter}{self._paint('-->', _QUIET)} {on_one_line(str(labels[0].span))}"]
        bar = self._paint(f"{' ' * gutter} |", _QUIET)
        shown: tuple[str, int] | None = None
        for index, label in enumerate(labels):
            span = label.span
            if span.file not in self._lines:
                continue
            mark = "-" if index else "^"
            drawn = view(self._lines[span.file], span, self._width - gutter - 3)
            if shown != (span.file, span.line):
                if shown and span.file != shown[0]:
                    rows.append(f"{' ' * gutter}{self._paint('-->', _QUIET)} {on_one_line(str(span))}")
                rows += [bar, self._paint(f"{span.line:>{gutter}} |", _QUIET) + f" {drawn.text}".rstrip()]
            shown = (span.file, span.line)
            color = _QUIET if index else _COLORS[severity]
            room = self._width - gutter - 3
            for words in marked(drawn, mark, on_one_line(label.text), room):
                rows.append(f"{bar} {self._paint(words, color)}")
        return rows

    def _sentences(self, text: str, lead: str) -> list[str]:
        """Wrapped text; indented lines are commands and stay as they are."""
        import textwrap

        rows: list[str] = []
        for line in text.split("\n"):
            start = lead if not rows else ""
            if line.startswith("    ") or not line.strip():
                rows.append(line.rstrip())
            else:
                rows += textwrap.wrap(start + line, self._width, break_long_words=False, break_on_hyphens=False) or [
                    start
                ]
        if lead and rows:
            rows[0] = self._paint(lead.strip(), "", bold=True) + rows[0][len(lead.strip()) :]
        return rows

    def _paint(self, text: str, color: str, *, bold: bool = False) -> str:
        if not self._color:
            return text
        style = ";".join(part for part in ("1" if bold else "", color) if part)
        return f"\x1b[{style}m{text}\x1b[0m" if style else text
