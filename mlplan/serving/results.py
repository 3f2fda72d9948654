"""What an entry script returns, as an answer.

Beyond JSON's own types: NumPy arrays and scalars, pandas objects, dates; an object with `toJSON()`; an AMLResponse; a
response object as web frameworks have them. NaN and infinity become null.
"""

from __future__ import annotations

from typing import Any

from . import json_text
from .messages import JSON, TEXT, Response

_OWN_HEADERS = (b"content-length", b"content-type", b"transfer-encoding", b"connection", b"date", b"x-request-id")


def to_response(result: Any) -> Response:
    """The answer for a result of `run`. Raises: TypeError for what has no JSON form."""
    if result is None:
        return Response(200, b"{}")
    status = getattr(result, "status_code", None)
    if isinstance(status, int):
        return _from_object(result, status)
    return Response(200, json_text.dumps(result, as_json))


def as_json(value: Any) -> Any:
    """A JSON-able form of a value that JSON doesn't know. Raises: TypeError where there is none."""
    if hasattr(value, "toJSON"):
        text = value.toJSON()
        return _parsed(text) if isinstance(text, (str, bytes)) else text
    if hasattr(value, "to_dict") and hasattr(value, "columns"):  # a DataFrame
        return value.to_dict(orient="records")
    if hasattr(value, "tolist"):  # arrays that aren't contiguous or hold objects, Series, other scalars
        return value.tolist()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form: return lists, dicts, numbers, text, or add toJSON()")


def _parsed(text: Any) -> Any:
    try:
        return json_text.loads(text)
    except ValueError:
        return text


def _from_object(result: Any, status: int) -> Response:
    """An AMLResponse, or the response object of a web framework."""
    body = result.get_data() if hasattr(result, "get_data") else getattr(result, "body", b"")
    if isinstance(body, str):
        body = body.encode()
    kind = JSON if getattr(result, "json_str", False) else TEXT
    headers: list[tuple[bytes, bytes]] = []
    for name, value in dict(getattr(result, "headers", None) or {}).items():
        key, text = str(name).lower().encode("latin-1"), str(value).encode("latin-1", "replace")
        if any(byte in key + text for byte in b"\r\n\0") or not key:
            raise ValueError("a header of the response holds a line break")
        if key == b"content-type":
            kind = text
        elif key not in _OWN_HEADERS:
            headers.append((key, text))
    status = status if 200 <= status <= 599 else 500
    failed = status >= 500 or bool(getattr(result, "run_function_failed", False))
    return Response(status, bytes(body), kind, tuple(headers), failed)
