"""A plan as a web page that stands alone: the graph of the change as a picture, then each change with its reasons.

No script, no font and no image from elsewhere; what a user or a branch wrote is escaped.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from mlplan.graph import build_graph
from mlplan.views import words
from mlplan.views.golden import asked_text, asks_text, examples
from mlplan.views.graph import COLOURS, svg
from mlplan.views.plan_context import NO_CONTEXT
from mlplan.views.summary import doubts, glance, loud, summary
from mlplan.views.values import counted, printable

if TYPE_CHECKING:
    from mlplan.graph import Graph
    from mlplan.plan.changes import Change, Golden, Plan
    from mlplan.views.plan_context import Context

STYLE = """
:root { color-scheme: light dark; --ink: #0f172a; --soft: #64748b; --line: #e2e8f0; --back: #fff; --lost: #dc2626 }
* { box-sizing: border-box }
body { font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 66rem;
  margin: 2.5rem auto; padding: 0 1.25rem }
h1 { font-size: 1.5rem; margin: 0 } .sum { font-size: 1.05rem; margin: .3rem 0 1.2rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0 }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
.picture { overflow-x: auto; margin: 1.5rem 0; border: 1px solid var(--line); border-radius: 10px;
  text-align: center }
.picture svg { max-width: max(100%, 46rem); height: auto; vertical-align: top }
article { --c: var(--hue); border-left: 4px solid var(--c); padding: .1rem 0 .1rem 1rem; margin: 1.4rem 0 }
h2 { font-size: 1.02rem; margin: 0; font-weight: 600 } h2 .action { color: var(--c); margin-right: .4rem }
.aside { color: var(--soft); font-weight: 400; margin-left: .6rem } .impact { color: var(--soft); margin: 0 }
ul { margin: .35rem 0; padding-left: 1.15rem } li { overflow-wrap: anywhere } li.note { color: var(--soft) }
code, td { font: .87em/1.5 ui-monospace, "DejaVu Sans Mono", monospace } .old { color: var(--soft) }
.loss { color: var(--lost); font-weight: 600; margin: .2rem 0 } summary { cursor: pointer; color: var(--soft) }
table { border-collapse: collapse; margin: .4rem 0 } th { font-weight: 500; color: var(--soft) }
th, td { text-align: left; vertical-align: top; padding: .15rem 1.4rem .15rem 0; overflow-wrap: anywhere }
footer { color: var(--soft); border-top: 1px solid var(--line); margin-top: 2rem; padding: .8rem 0 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e2e8f0; --soft: #94a3b8; --line: #334155; --back: #0f172a; --lost: #f87171 }
  .picture svg { filter: invert(.9) hue-rotate(180deg) }
  article { --c: color-mix(in srgb, var(--hue) 55%, white) }
}
"""


def render(plan: Plan, *, graph: Graph | None = None, context: Context = NO_CONTEXT) -> str:
    """The page. Without `graph`, the picture shows the resources without what they need."""
    against = f", compared with {escape(context.base)}" if context.base else ""
    title = f"Plan of {escape(plan.project)}{against}"
    quiet = ", ".join(str(change.address) for change in plan.changes if change.is_quiet)
    notes = (*context.notes, *doubts(plan))
    first = "".join(f"<dt>{escape(label)}</dt><dd>{escape(said)}</dd>\n" for label, said in glance(plan))
    body = [
        f"<h1>{title}</h1>",
        f'<p class="sum"><strong>{escape(summary(plan, context.base))}</strong></p>',
        f"<dl>\n{first}</dl>" if first else "",
        *(f'<p class="impact">Note: {escape(printable(note))}.</p>' for note in notes),
        "" if context.complete else '<p class="impact">Only a part of the project was looked at.</p>',
        f'<div class="picture">\n{_picture(plan, graph)}</div>' if plan.changes else "",
        *(_article(change, context) for change in loud(plan)),
        f"<footer>Unchanged: {escape(quiet)}</footer>" if quiet else "",
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(piece for piece in body if piece)
        + "\n</body>\n</html>\n"
    )


def _picture(plan: Plan, graph: Graph | None) -> str:
    """The graph, and beside it what goes: the manifest has it no more."""
    needs = dict(graph.needs) if graph else {}
    for change in plan.changes:
        needs.setdefault(change.address, ())
    return svg(build_graph(needs), {change.address: change.action for change in plan.changes})


def _article(change: Change, context: Context) -> str:
    """One change: what, why, what is lost, what it means, and its fields folded."""
    action = words.ACTION_WORDS[change.action]
    asides = [words.conditional_text(change), words.forecast_text(change.forecast) if change.forecast else ""]
    if context.attribution:
        asides.append(words.ATTRIBUTION_WORDS[context.attribution.get(change.address, "this-change")])
    aside = ", ".join(text for text in asides if text)
    items = [f"<li>{_reason(words.reason_words(reason, change))}</li>" for reason in change.reasons]
    items += [f"<li>{escape(words.pending_text(*waiting))}</li>" for waiting in words.pending(change)]
    items += [f'<li class="note">{escape(printable(note))}</li>' for note in change.notes]
    items += [f'<li class="note">{said}</li>' for golden in change.golden for said in _golden(golden, change)]
    return (
        f'<article style="--hue: {COLOURS[change.action]}">\n<h2><span class="action">{action.symbol} '
        f"{action.infinitive}</span>{escape(str(change.address))}"
        + (f'<span class="aside">{escape(aside)}</span>' if aside else "")
        + f'</h2>\n<p class="impact">{change.impact.capitalize()}: {words.IMPACT_WORDS[change.impact]}</p>\n'
        + (f'<p class="loss">{escape(printable(change.loss))}</p>\n' if change.loss else "")
        + f"<ul>\n{chr(10).join(items)}\n</ul>\n{_fields(change)}</article>"
    )


def _golden(golden: Golden, change: Change) -> list[str]:
    """What the service is asked, and what that came to if it was asked already."""
    said = [escape(asks_text(golden, change))]
    asked = asked_text(golden, change)
    if asked:
        answers = "".join(
            f'<br>{escape(name)}: <code class="old">{escape(before)}</code> -&gt; <code>{escape(after)}</code>'
            for name, before, after in examples(golden.report)
        )
        said.append(escape(asked) + answers)
    return said


def _reason(said: words.ReasonWords) -> str:
    """A reason, what it is about and its values as code."""
    if not said.is_about_a_part:
        return escape(said.text)
    values = f' <code class="old">{escape(said.before)}</code> -&gt;' if said.before else ""
    values += f" <code>{escape(said.after)}</code>" if said.after else ""
    rest = said._replace(subject="", before="", after="").text
    return f"<code>{escape(said.subject)}</code>{values}{'' if rest.startswith(':') else ' '}{escape(rest)}".rstrip()


def _fields(change: Change) -> str:
    rows = "".join(
        f"<tr><td>{escape(field.name)}</td><td>{escape(field.before)}</td><td>{escape(field.after)}</td></tr>\n"
        for field in words.fields(change)
    )
    if not rows:
        return ""
    head = "<tr><th>field</th><th>before</th><th>after</th></tr>"
    count = counted(len(words.fields(change)), "field")
    return f"<details><summary>{count}</summary>\n<table>\n{head}\n{rows}</table>\n</details>\n"
