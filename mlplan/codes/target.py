"""Codes MLP8xxx: targets: what is missing or in the way where jobs and services run.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations
