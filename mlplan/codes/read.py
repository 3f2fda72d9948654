"""Codes MLP1xxx: reading the manifest, the lock file and plan files.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations

from mlplan.codes import Code

MLP1201 = Code("MLP1201", "Not a plan file")
"""A file given as a plan can't be read as one.

Why: it is no JSON, or it isn't what `mlplan plan --out` writes. Nothing was applied.

What to do: plan again, into a file:

    mlplan plan --out plan.json
"""

MLP1202 = Code("MLP1202", "Plan file of another format")
"""A plan file was written by an mlplan whose format this one doesn't read.

Why: a field that isn't understood may be the one that matters, so nothing of it is guessed.

What to do: use the mlplan that wrote the file, or plan again with this one:

    mlplan plan --out plan.json
"""

MLP1203 = Code("MLP1203", "Plan file was altered")
"""A plan file doesn't have the digest that stands in it.

Why: it was edited, cut or damaged after it was written. What was reviewed is not what would be applied, so it isn't.

What to do: plan again, and hand on the file as it is:

    mlplan plan --out plan.json
"""
