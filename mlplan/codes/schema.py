"""Codes MLP2xxx: what the published schema of the manifest catches.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations
