"""Old names of modules that scripts and pickles of the retired system's years still use.

scikit-learn moved its modules under a leading underscore and dropped its copy of joblib. The finder is asked only for
what can't be imported otherwise, so an environment with such an old scikit-learn isn't touched.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_JOBLIB = "sklearn.externals.joblib"
_MOVED = {
    "sklearn.tree.tree": "sklearn.tree._classes",
    "sklearn.svm.classes": "sklearn.svm._classes",
    "sklearn.cluster.k_means_": "sklearn.cluster._kmeans",
    "sklearn.cluster.hierarchical": "sklearn.cluster._agglomerative",
    "sklearn.ensemble.gradient_boosting": "sklearn.ensemble._gb",
    "sklearn.gaussian_process.gpr": "sklearn.gaussian_process._gpr",
    "sklearn.gaussian_process.gpc": "sklearn.gaussian_process._gpc",
    "sklearn.preprocessing.imputation": "sklearn.impute._base",
    "sklearn.utils.testing": "sklearn.utils._testing",
}


def new_name(name: str) -> str | None:
    """What a module is called today; None where it isn't one of those that moved."""
    if name == _JOBLIB or name.startswith(_JOBLIB + "."):
        return name[len("sklearn.externals.") :]
    if not name.startswith("sklearn."):
        return None
    parent, _, last = name.rpartition(".")
    return _MOVED.get(name) or (None if last.startswith("_") else f"{parent}._{last}")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        today = new_name(name)
        try:
            found = today is not None and importlib.util.find_spec(today) is not None
        except ImportError:
            return None
        return ModuleSpec(name, self, is_package=name == _JOBLIB) if found else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(str(new_name(spec.name)))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It has been executed under its own name, and keeps that."""
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state


def install() -> None:
    """From now on the old names can be imported in this process."""
    sys.meta_path.append(_Finder())
