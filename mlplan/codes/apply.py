"""Codes MLP7xxx: applying: what went wrong while the world was being changed.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations
