"""Views: plans, applies, diagnostics and records, as text, Markdown, HTML, JSON, SARIF. No decisions here.

plan_text.py, plan_markdown.py, plan_html.py, plan_json.py     a plan (`plan_reading.py` reads the last again)
console.py, plain.py, events_json.py                           an apply as it goes; `apply_text.py`: how it ended
findings.py, diagnostics.py, diagnostics_*.py                  what is wrong
records.py, services.py, history.py, workspace.py              what is recorded
explain.py, graph.py                                           why something changes; who needs whom
values.py, words.py, summary.py, golden.py                     the wording that they share
terminal.py, tables.py, excerpts.py, layout.py                 what they draw with; these know no plan
schema.py, shapes/                                             the published JSON forms
"""
