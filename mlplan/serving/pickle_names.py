"""Which names a model's pickle may mention: those that estimators are made of, and none that run code.

Whole packages aren't trusted: NumPy, SciPy and scikit-learn hold functions that evaluate text. A name is allowed if
it is listed here, or if it is a class of one of the rules below. What a project adds (`pickle_allow`) is taken as
it is: a full name, or `package.*`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from typing import Any

_LISTED = {
    "builtins": "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple",
    "collections": "Counter OrderedDict defaultdict deque",
    "copyreg": "_reconstructor",
    "datetime": "date datetime time timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "functools": "partial",
    "operator": "itemgetter",
    "uuid": "UUID",
    "joblib.numpy_pickle": "NumpyArrayWrapper",
    "numpy": "dtype ndarray amax amin average clip max mean median min nan_to_num prod std sum var",
    "numpy.core.multiarray": "_reconstruct scalar",
    "numpy._core.multiarray": "_reconstruct scalar",
    "numpy.core.numeric": "_frombuffer",
    "numpy._core.numeric": "_frombuffer",
    "numpy.ma": "MaskedArray",
    "numpy.ma.core": "MaskedArray _mareconstruct",
    "numpy.random": "RandomState Generator",
    "numpy.random._pickle": "__bit_generator_ctor __generator_ctor __randomstate_ctor",
    "numpy.random._mt19937": "MT19937",
    "numpy.random._pcg64": "PCG64",
    "numpy.random.bit_generator": "SeedSequence __pyx_unpickle_SeedSequence",
    "numpy.random.mtrand": "RandomState",
    "pandas": "DataFrame Index Series RangeIndex CategoricalDtype StringDtype NA Timestamp",
    "pandas.core.dtypes.dtypes": "CategoricalDtype",
    "pandas.core.frame": "DataFrame",
    "pandas.core.indexes.base": "Index _new_Index",
    "pandas.core.indexes.range": "RangeIndex",
    "pandas.core.internals.managers": "BlockManager SingleBlockManager",
    "pandas.core.series": "Series",
    "pandas._libs.internals": "_unpickle_block",
    "pandas._libs.missing": "_NA NAType",
    "scipy._lib.array_api_compat.numpy._aliases": "asarray",
    "scipy.interpolate": "BSpline interp1d PPoly",
    "scipy.interpolate._bsplines": "BSpline",
    "scipy.interpolate._interpolate": "interp1d PPoly",
    "scipy.interpolate.interpolate": "interp1d PPoly",
}
_NAMES = {f"{module}.{name}" for module, names in _LISTED.items() for name in names.split()}
_NAMES |= {name.replace("builtins.", "__builtin__.") for name in _NAMES if name.startswith("builtins.")}
_NAMES |= {"copy_reg._reconstructor", "__builtin__.unicode", "__builtin__.long", "__builtin__.xrange"}

# Parts of scikit-learn that estimators aren't made of, and whose classes call what they are given.
_FOREIGN = re.compile(
    r"\.(externals|tests|conftest|datasets|inspection|frozen_|utils\.(_testing|parallel|deprecation|metaestimators"
    r"|fixes|validation|_joblib|_mocking|estimator_checks|_show_versions|_estimator_html_repr|_plotting))(\.|$)"
)
_MAKERS = re.compile(r"^(newObj|__pyx_unpickle_\w+)$")
"""The functions by which compiled classes of scikit-learn come back from a pickle."""

_SCORES = re.compile(r"^sklearn\.(metrics|feature_selection|cluster\._kmeans)(\.|$)")
"""Where scikit-learn keeps the functions of numbers that estimators are given as parameters."""


def is_allowed(module: str, name: str, added: Sequence[str]) -> bool:
    """Whether a pickle may mention `name` of `module`. It may import a module of NumPy, SciPy or scikit-learn."""
    full = f"{module}.{name}"
    if any(full == entry or (entry.endswith(".*") and full.startswith(entry[:-1])) for entry in added):
        return True
    if "." in name:  # a way through an object's attributes
        return False
    if full in _NAMES:
        return True
    package = module.partition(".")[0]
    if package == "numpy":
        return _is_numpy_value(_resolve(module, name))
    if module.startswith("scipy.sparse"):
        found = _resolve(module, name)
        return isinstance(found, type) and found.__module__.startswith("scipy.sparse")
    return package == "sklearn" and not _FOREIGN.search(module) and _is_of_an_estimator(_resolve(module, name), name)


def _is_numpy_value(found: Any) -> bool:
    """A scalar type, the type of one, or a universal function."""
    import numpy

    is_type = isinstance(found, type) and issubclass(found, (numpy.generic, numpy.dtype))
    return is_type or isinstance(found, numpy.ufunc)


def _is_of_an_estimator(found: Any, name: str) -> bool:
    if isinstance(found, type):
        return found.__module__.startswith("sklearn.") and not _FOREIGN.search(found.__module__)
    home = str(getattr(found, "__module__", ""))
    is_maker = home.startswith("sklearn.") and bool(_MAKERS.match(name))
    return callable(found) and (is_maker or bool(_SCORES.match(home)))


def _resolve(module: str, name: str) -> Any:
    """The object, or None where there is none."""
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None
