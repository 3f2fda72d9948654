"""Codes MLP3xxx: what a manifest means: references, files, ports.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations
