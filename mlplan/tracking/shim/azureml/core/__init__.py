"""`azureml.core`: `Run` and `Model` work; everything else can be imported and says on use that it isn't available."""

from __future__ import annotations

from typing import Any

from . import _unavailable
from .model import Model
from .run import Run

__all__ = ["Model", "Run"]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _unavailable.named(f"azureml.core.{name}")
