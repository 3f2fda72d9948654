"""What is known of a Python file's meaning; `python.py` finds it out."""

from __future__ import annotations

from typing import NamedTuple


class PythonMeaning(NamedTuple):
    """What a Python file says, apart from comments, docstrings and layout."""

    digest: str  # of its syntax tree; of its bytes where it doesn't parse
    imports: tuple[str, ...]  # as written: "os", "helpers", ".near", "package.module"; sorted
    dynamic: bool  # nobody can say what it imports: importlib, __import__, exec, or no Python at all

    @property
    def is_python(self) -> bool:
        """Whether it parses, by this Python."""
        return self.imports != NOT_PYTHON


NOT_PYTHON = ("",)
"""The imports of a file that doesn't parse."""
