"""JSON by the letter of its standard: no NaN and no infinity, neither read nor written.

orjson does it where there is one; the standard library is the fallback, brought to the same answers.
"""

from __future__ import annotations

import json
import math
from typing import Any, Callable, Optional

try:
    import orjson

    HAS_ORJSON = True
except ImportError:  # no wheel for this interpreter
    HAS_ORJSON = False

Default = Optional[Callable[[Any], Any]]


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON; write null for a missing value")


def _slow_loads(data: Any) -> Any:
    return json.loads(data, parse_constant=_refuse_constant)


def _slow_dumps(value: Any, default: Default = None) -> bytes:
    text = json.dumps(_finite(value, default), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "strict")


def _finite(value: Any, default: Default) -> Any:
    """`value` in JSON's own types, with null for what isn't finite."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item, default) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item, default) for item in value]
    if hasattr(value, "tolist"):  # NumPy's arrays and scalars
        return _finite(value.tolist(), default)
    if default is None:
        raise TypeError(f"{type(value).__name__} is not JSON serializable")
    return _finite(default(value), default)


def _fast_dumps(value: Any, default: Default = None) -> bytes:
    try:
        return orjson.dumps(value, default, _OPTIONS)
    except TypeError:  # integers beyond 64 bits are JSON all the same
        return _slow_dumps(value, default)


_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS if HAS_ORJSON else 0
loads: Callable[[Any], Any] = orjson.loads if HAS_ORJSON else _slow_loads
dumps: Callable[..., bytes] = _fast_dumps if HAS_ORJSON else _slow_dumps
