"""Codes MLP1xxx: reading the manifest, the lock file and plan files.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations
