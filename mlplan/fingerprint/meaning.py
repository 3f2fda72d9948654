"""What is known of a Python file's meaning; `python.py` finds it out."""

from __future__ import annotations

from typing import NamedTuple


class PythonMeaning(NamedTuple):
    """What a Python file says, apart from comments, docstrings and layout."""

    digest: str  # of its syntax tree; of its bytes where it doesn't parse
    imports: tuple[str, ...]  # as written: "os", "helpers", ".near", "package.module"; sorted
    dynamic: bool  # it imports by computed names: importlib, __import__, exec
