"""`@rawhttp`, which gives `run` the request itself."""

from __future__ import annotations

import sys
from typing import Any, Callable, TypeVar

# The runtime under whatever name it was started.
raw_http: Any = vars(sys.modules["_mlplan_runtime"])["raw_http"]

Function = TypeVar("Function", bound=Callable[..., Any])

AMLRequest = raw_http.HttpRequest


def rawhttp(func: Function) -> Function:
    """Marks a `run` that takes the HTTP request."""
    raw_http.ask_for()
    return func
