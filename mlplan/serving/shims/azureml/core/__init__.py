"""What scoring scripts import from here: `Model`. Other names say on use that they aren't offered."""

from __future__ import annotations

from typing import Any

from .model import Model

__all__ = ["Model"]


class _NotOffered:
    """Stands for a class that belongs to the retired system's workspace."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"a service of mlplan has no azureml.core.{self._name}: there is no workspace to reach"
        )

    def __getattr__(self, member: str) -> Any:
        return self()


def __getattr__(name: str) -> Any:
    if name.startswith("_") or not name[:1].isupper():
        raise AttributeError(name)
    return _NotOffered(name)
