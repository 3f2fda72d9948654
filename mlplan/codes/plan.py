"""Codes MLP5xxx: planning: gates, policies, plan files that no longer fit.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations

from mlplan.codes import Code

MLP5001 = Code("MLP5001", "Unknown address")
"""An address on the command line names nothing that the manifest declares or the state records.

Why: a plan narrowed to a misspelt address would say that nothing is to do.

What to do: write it as `kind.name`, such as `run.train`.

    mlplan plan --verbose
"""

MLP5002 = Code("MLP5002", "Protected resource would be destroyed")
"""The plan would delete or replace a resource that was applied with `protect: true`.

Why: protection is remembered in the state, so that deleting the block from the manifest doesn't get round it.

What to do: keep the resource, or apply it once with `protect: false`; then it can go.
"""

MLP5003 = Code("MLP5003", "The plan is stale")
"""Something moved between the plan that was shown and the apply of it.

Why: an apply does what was shown, or refuses. Nothing was done.

What to do: make the plan again, and read it.

    mlplan plan
"""

MLP5004 = Code("MLP5004", "Nobody can be asked")
"""A command that changes the world asks before it does, and there is no terminal to ask on.

Why: silence is no yes.

What to do: say it beforehand.

    mlplan apply -y
"""
