"""Codes MLP6xxx: rendering files from templates.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations
