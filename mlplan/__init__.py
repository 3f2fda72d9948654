"""mlplan: declare, review and apply a machine-learning project like infrastructure."""

from __future__ import annotations

__version__ = "0.1.0"
