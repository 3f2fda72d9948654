"""Places in a user's files: what a diagnostic points at, and the lines it shows."""

from __future__ import annotations

import re
from typing import NamedTuple

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line for the YAML reader, so that its line numbers are ours."""


class Span(NamedTuple):
    """A stretch of one file. Lines and columns count from 1, columns in characters; the end is exclusive."""

    file: str  # as it is shown to the user: relative to the project's folder
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Source(NamedTuple):
    """One file that was read: its shown name and its text."""

    file: str
    text: str

    def lines(self) -> list[str]:
        """All lines without their line ends; after a final line end there is one more, empty."""
        return _LINE_BREAK.split(self.text)

    def line(self, number: int) -> str:
        """Line `number` (from 1) without its line end; empty beyond the last."""
        lines = self.lines()
        return lines[number - 1] if 0 < number <= len(lines) else ""
