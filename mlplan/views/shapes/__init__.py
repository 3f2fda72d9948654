"""The published JSON forms as pydantic models, a module each: a plan, the events of an apply, the state.

`views/schema.py` makes `schemas/` of them; nothing at run time imports this. The docstrings are the descriptions that
readers of the schemas see. What writes these forms: `views/plan_json.py`, `views/events_json.py`, `views/records.py`,
`mlplan/state/encode.py`.
"""
