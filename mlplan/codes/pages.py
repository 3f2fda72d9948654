"""Reads the pages of codes: the docstrings below the entries, taken from the source of a phase's module."""

from __future__ import annotations

import ast
import functools
import importlib.resources
import itertools
import re
from typing import NamedTuple


class Examples(NamedTuple):
    """The two manifests of a page."""

    broken: str
    mended: str


@functools.cache  # a report in SARIF asks for the page of each code that it names
def read_pages(phase: str) -> dict[str, str]:
    """The pages of a phase's codes, by code; a code without a page is left out."""
    source = importlib.resources.files("mlplan.codes").joinpath(f"{phase}.py").read_text(encoding="utf-8")
    body = ast.parse(source).body
    pages: dict[str, str] = {}
    for entry, after in itertools.pairwise(body):
        if (
            isinstance(entry, ast.Assign)
            and isinstance(entry.targets[0], ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            pages[entry.targets[0].id] = after.value.value.strip("\n")
    return pages


def examples(page: str) -> Examples | None:
    """The broken and the mended manifest of a page, or None where it has none."""
    blocks = dict(re.findall(r"^(Broken|Mended):\n\n```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    return Examples(blocks["Broken"], blocks["Mended"]) if len(blocks) == 2 else None
