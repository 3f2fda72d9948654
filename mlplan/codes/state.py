"""Codes MLP4xxx: the workspace, its log, its lease and its artifacts.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations
