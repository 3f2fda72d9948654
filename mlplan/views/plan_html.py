"""A plan as a web page that stands alone: the graph of the change as a picture, then each change with its reasons.

No script, no font and no image from elsewhere; what a user or a branch wrote is escaped.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from mlplan.graph import build_graph
from mlplan.views import words
from mlplan.views.graph import COLOURS, svg
from mlplan.views.plan_context import NO_CONTEXT

if TYPE_CHECKING:
    from mlplan.graph import Graph
    from mlplan.plan.changes import Change, Plan
    from mlplan.views.plan_context import Context

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #0f172a; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1rem; margin: 0 } .picture { overflow-x: auto; margin: 1.5rem 0 }
article { border: 1px solid #e2e8f0; border-left: 4px solid var(--c, #94a3b8); border-radius: 6px;
  padding: .7rem 1rem; margin: .8rem 0 }
.action { color: var(--c) } .aside, .quiet { color: #64748b } ul { margin: .3rem 0; padding-left: 1.2rem }
code, table { font-family: ui-monospace, monospace; font-size: .87rem } td, th { padding: .1rem .8rem .1rem 0;
  text-align: left; vertical-align: top; overflow-wrap: anywhere }
.picture svg { max-width: 100%; height: auto }
.loss { color: #b91c1c; font-weight: 600 }
@media (prefers-color-scheme: dark) { body { background: #0f172a; color: #e2e8f0 } article { border-color: #334155 }
  .picture { background: #f8fafc; border-radius: 6px } }
"""


def render(plan: Plan, *, graph: Graph | None = None, context: Context = NO_CONTEXT) -> str:
    """The page. Without `graph`, the picture shows the resources without what they need."""
    drawn = graph or build_graph({change.address: () for change in plan.changes if change.action != "delete"})
    actions = {change.address: change.action for change in plan.changes}
    against = f" compared with {escape(context.base)}" if context.base else ""
    title = f"Plan of {escape(plan.project)}{against}"
    quiet = [str(change.address) for change in plan.changes if change.is_quiet]
    body = [
        f"<h1>{title}</h1>",
        f"<p><strong>{escape(words.summary(plan))}</strong></p>",
        *(f"<p>{escape(label)}: {escape(said)}</p>" for label, said in words.glance(plan)),
        f'<div class="picture">{svg(drawn, actions)}</div>',
        *(_article(change) for change in words.loud(plan)),
        f'<p class="quiet">Unchanged: {escape(", ".join(quiet))}</p>' if quiet else "",
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _article(change: Change) -> str:
    action = words.ACTION_WORDS[change.action]
    aside = words.conditional_text(change) or (words.forecast_text(change.forecast) if change.forecast else "")
    reasons = [words.reason_words(reason, change).text for reason in change.reasons] + list(change.notes)
    return (
        f'<article style="--c:{COLOURS[change.action]}"><h2><span class="action">{action.symbol} {action.infinitive}'
        f'</span> {escape(str(change.address))} <span class="aside">{escape(aside)}</span></h2>'
        + (f'<p class="loss">{escape(change.loss)}</p>' if change.loss else "")
        + f'<p class="aside">{change.impact}: {words.IMPACT_WORDS[change.impact]}</p>'
        + "<ul>"
        + "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
        + "</ul></article>"
    )
