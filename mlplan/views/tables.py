"""Aligned tables and lists of facts, plain enough to read, cut and grep; and their JSON. Knows no state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlplan.views.terminal import cells
from mlplan.views.values import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlplan.json_types import Json

GAP = "  "


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> str:
    """Rows below their heads, each column as wide as its widest cell; `empty` where there are no rows."""
    if not rows:
        return f"{empty}\n"
    every = [[head.upper() for head in heads], *([printable(cell) for cell in row] for row in rows)]
    widths = [max(cells(row[column]) for row in every) for column in range(len(heads))]
    return "".join(
        GAP.join(cell + " " * (width - cells(cell)) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in every
    )


def facts(title: str, lines: Mapping[str, str]) -> str:
    """A title, and a fact a line below it; empty ones are left out."""
    lines = {printable(name): value for name, value in lines.items() if value}
    width = max(map(len, lines), default=0)
    body = "".join(
        f"  {name:<{width}}  {first}\n" + "".join(f"  {'':<{width}}  {more}\n" for more in rest)
        for name, value in lines.items()
        for first, *rest in [[printable(part) for part in value.split("\n")]]
    )
    return f"{title}\n{body}"


def as_json(value: Json) -> str:
    """A value as JSON text, ending in a line feed."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
