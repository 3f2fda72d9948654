"""What the campaign tried and what survived: gathered from pytest's reports, as a table, kept in the docs. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

TALLY = "tally"  # the property of a test that counts its points itself: what, tried, survived
HEADING = "heading"  # of one that is a point by itself: what it stands under

BEGIN, END = "<!-- begin: results -->", "<!-- end: results -->"


class Results(NamedTuple):
    """Counts by what was tried."""

    tried: Counter[str]
    survived: Counter[str]


def gather(reports: Iterable[tuple[Sequence[tuple[str, Any]], bool]]) -> Results:
    """The results of tests: the properties of each, and whether it passed."""
    results = Results(Counter(), Counter())
    for properties, passed in reports:
        counted = [value for name, value in properties if name == TALLY]
        headings = [[value, 1, int(passed)] for name, value in properties if name == HEADING]
        for what, tried, survived in counted or headings:
            results.tried[what] += tried
            results.survived[what] += survived
    return results


def as_text(results: Results) -> list[str]:
    """The table for a terminal."""
    width = max(map(len, results.tried))
    rows = [
        f"{what:{width}}  {results.tried[what]:7,}  {results.survived[what]:8,}" for what in sorted(results.tried)
    ]
    return [f"{'':{width}}    tried  survived", *rows]


def as_markdown(results: Results) -> list[str]:
    """The table for the docs."""
    rows = [f"| {what} | {count:,} | {results.survived[what]:,} |" for what, count in sorted(results.tried.items())]
    total = f"| **all** | **{results.tried.total():,}** | **{results.survived.total():,}** |"
    return ["| fault | points tried | survived |", "| --- | ---: | ---: |", *rows, total]


def with_results(page: str, results: Results, made: str) -> str:
    """The page of the docs with new results in place of the old ones; `made` says how they came about."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n".join([f"{before}{BEGIN}", "", *as_markdown(results), "", made, "", f"{END}{after}"])
