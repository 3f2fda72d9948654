"""The calls that scripts of the retired system make, answered here: metrics, outputs, the run's name.

Any other module of `azureml` can be imported, so that imports a script doesn't use don't stop it; what is then called
says that it isn't available. Where such a module is really installed, that one is found first.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from typing import Any

__path__ += [
    folder
    for folder in (os.path.join(entry, "azureml") for entry in sys.path)
    if os.path.isdir(folder) and folder not in __path__
]


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a module below `azureml` that nobody else does, as one whose names say that they aren't available."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:
        if name.startswith("azureml."):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def exec_module(self, module: Any) -> None:
        from .core import _unavailable

        def look_up(attribute: str) -> Any:
            if attribute.startswith("__"):
                raise AttributeError(attribute)
            core = sys.modules["azureml.core"]
            known = vars(core).get(attribute) if module.__name__.startswith("azureml.core.") else None
            return known or _unavailable.named(f"{module.__name__}.{attribute}")

        module.__getattr__ = look_up


sys.meta_path.append(_Finder())
