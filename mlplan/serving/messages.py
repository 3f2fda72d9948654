"""A request and an answer, as the rooms between the connection and the model see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from . import json_text
from .metrics import ROUTES

if TYPE_CHECKING:
    from .connection import Connection

JSON = b"application/json"
TEXT = b"text/html; charset=utf-8"

OTHER = len(ROUTES) - 1
"""The route of a request that came to none."""

Headers = tuple[tuple[bytes, bytes], ...]


class Response(NamedTuple):
    """An answer. Its headers come after those that every answer has."""

    status: int
    body: bytes
    kind: bytes = JSON  # content type
    headers: Headers = ()
    failed: bool = False  # the model says of its own answer that it is a failure


class Refused(Exception):
    """A request that isn't done: a status code and a sentence for its sender."""

    def __init__(self, status: int, message: str, headers: Headers = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


class Request:
    """One request, whole. `answer` ends it, once, from the event loop's thread."""

    __slots__ = (
        "answered",
        "body",
        "connection",
        "exec_ms",
        "failed",
        "headers",
        "id",
        "keep_alive",
        "method",
        "path",
        "query",
        "route",
        "started",
    )

    def __init__(
        self, connection: Connection, method: bytes, path: bytes, query: bytes, headers: dict[bytes, bytes]
    ) -> None:
        self.connection = connection
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers  # names in lower case; repeated ones joined by a comma
        self.body = b""
        self.id = b""
        self.keep_alive = True
        self.started = 0.0
        self.route = OTHER
        self.answered = False
        self.exec_ms = -1.0  # how long `run` took; -1: it wasn't called, or failed
        self.failed = False  # whether `run` did

    def answer(self, response: Response) -> None:
        """Sends the answer. A second call, after a time-out, does nothing."""
        self.connection.answer(self, response)


def error_response(request: Request, status: int, message: str, headers: Headers = ()) -> Response:
    """The JSON form of all errors; the Open Inference Protocol has its own."""
    if request.path.startswith(b"/v2"):
        return Response(status, json_text.dumps({"error": message}), JSON, headers)
    body = json_text.dumps({"message": message, "request_id": request.id.decode("latin-1")})
    return Response(status, body, JSON, headers)
