"""One list of findings, in whichever form a command was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplan.diagnostics import Diagnostic
    from mlplan.source import Source


def render(
    diagnostics: Sequence[Diagnostic],
    sources: Sequence[Source],
    *,
    form: str,
    color: bool,
    width: int,
    prefix: str = "",
    manifest: str = "mlplan.yaml",
) -> str:
    """The findings as `form` names it; "" where there is nothing to say in it.

    `prefix` leads from the repository's root to the project's folder, for forms that a forge reads.
    """
    if form == "json":
        from mlplan.views.diagnostics_json import render_json

        return render_json(diagnostics, sources)
    if form == "sarif":
        from mlplan.views.diagnostics_sarif import render_sarif

        return render_sarif(diagnostics, sources, prefix=prefix, manifest=manifest)
    if form == "github":
        from mlplan.views.diagnostics_github import render_github

        return render_github(diagnostics, prefix=prefix)
    if form == "gitlab":
        from mlplan.views.diagnostics_gitlab import render_gitlab

        return render_gitlab(diagnostics, sources, prefix=prefix, manifest=manifest)
    if form == "junit":
        from mlplan.views.diagnostics_junit import render_junit

        return render_junit(diagnostics, manifest=manifest)
    if form == "markdown":
        from mlplan.views.diagnostics_markdown import render_markdown

        return render_markdown(diagnostics, sources)
    from mlplan.views.diagnostics import render_concise, render_text

    return (
        render_concise(diagnostics)
        if form == "concise"
        else render_text(diagnostics, sources, color=color, width=width)
    )
