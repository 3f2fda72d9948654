"""Diagnostics as Markdown, for a GitHub step summary or a comment: the counts first, then each with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.views.diagnostics import Page, by_severity, counts
from mlplan.views.excerpts import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplan.diagnostics import Diagnostic
    from mlplan.source import Source

STEP_SUMMARY_BYTES = 1024 * 1024 - 1024
"""What a step summary may hold, with some room for what else is written there."""


def render_markdown(
    diagnostics: Sequence[Diagnostic], sources: Sequence[Source], *, limit: int = STEP_SUMMARY_BYTES
) -> str:
    """At most `limit` bytes of UTF-8: the most severe are kept, and how many are left out is said."""
    if not diagnostics:
        return "**The manifest is valid.**\n"
    parts = [f"**{counts(diagnostics)}**\n"]
    used = len(parts[0].encode())
    page = Page(sources)
    for index, diagnostic in enumerate(by_severity(diagnostics)):
        part = _folded(diagnostic, page)
        used += len(part.encode())
        if used > limit - 200:
            parts.append(f"\n{len(diagnostics) - index} more are left out here: `mlplan validate` lists them all.\n")
            break
        parts.append(part)
    return "".join(parts)


def _folded(diagnostic: Diagnostic, page: Page) -> str:
    from html import escape

    where = f" <code>{escape(str(diagnostic.span))}</code>" if diagnostic.span else ""
    title = f"<b>{diagnostic.code}</b> {escape(diagnostic.summary)}{where}: {escape(visible(diagnostic.detail))}"
    text = page.block(diagnostic)
    fence = "`" * max(3, _longest_run(text) + 1)
    summary = " ".join(title.split())
    return f"\n<details><summary>{summary}</summary>\n\n{fence}text\n{text}\n{fence}\n\n</details>\n"


def _longest_run(text: str) -> int:
    import re

    return max((len(run) for run in re.findall("`+", text)), default=0)
