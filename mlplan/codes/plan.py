"""Codes MLP5xxx: planning: gates, policies, plan files that no longer fit.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations
