"""Codes MLP9xxx: bugs in mlplan itself.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations

from mlplan.codes import Code

MLP9001 = Code("MLP9001", "Bug in mlplan")
"""mlplan met a case that it doesn't foresee.

Why: this is a fault in mlplan, not in your project. What was recorded before it stays recorded, so nothing that was
finished is lost.

What to do: run the same command again. If it happens again, open an issue and attach the file that the message
names: it holds the versions and the trace, and no values of secrets.
"""
