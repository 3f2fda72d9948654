"""Stands for what scripts import and mlplan has nothing for: harmless until it is used."""

from __future__ import annotations

from typing import Any


class NotAvailable(NotImplementedError):
    """Raised by a call that only works in Azure ML."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not available here: this run is executed by mlplan, outside Azure ML. "
            "Data, models and environments are declared in mlplan.yaml and reach a script by its arguments."
        )


class _Kind(type):
    """The class of such classes: their attributes are of the same kind, so that only a call raises."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return named(f"{cls.__module__}.{name}")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise NotAvailable(cls.__module__)


_known: dict[str, Any] = {}


def named(path: str) -> Any:
    """What stands for the name with this dotted path; an exception class where it is called like one."""
    if path not in _known:
        name = path.rpartition(".")[2]
        if name.endswith(("Exception", "Error")):
            _known[path] = type(name, (Exception,), {"__module__": path})
        else:
            _known[path] = _Kind(name, (), {"__module__": path})
    return _known[path]
