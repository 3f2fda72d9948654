"""One client's connection: requests out of bytes, answers into bytes, and the limits of both.

It knows HTTP and nothing of routes or models: a whole request goes to `Door.handle`, which answers it with
`request.answer`, now or later. There is no framework in between, because that is what a small model's time would go
to. `Door` is what all connections of a worker share.
"""

from __future__ import annotations

import asyncio
from collections import deque
from email.utils import formatdate
from http import HTTPStatus
from time import monotonic, perf_counter
from typing import Callable

from .messages import Headers, Refused, Request, Response, error_response
from .metrics import REASONS
from .parser import ParserError, Upgrade, make_parser
from .settings import Settings

_LINGER_S = 3.0
_REQUEST_ID_LIMIT = 100
_PIPELINE_LIMIT = 16  # requests that wait for their predecessor; then no more is read for a while
_WRITE_TIMEOUT_S = 60.0
_WITHOUT_BODY = (204, 304)

# What a connection waits for; each has its own time limit.
IDLE, HEADER, BODY, ANSWER, LINGER = range(5)


class Door:
    """What the connections of one worker share: limits, the handler of requests, and whether the service ends."""

    def __init__(
        self,
        settings: Settings,
        handle: Callable[[Request], None],
        count: Callable[[Request, Response], None],
        reject: Callable[[int], None],
        headers: Headers,
        request_ids: str,
    ) -> None:
        self.settings = settings
        self.handle = handle
        self.count = count  # called with every answer
        self.reject = reject  # called with the place in REASONS of what was refused
        self.connections: set[Connection] = set()
        self.draining = False
        self.in_flight = 0
        self.origins = frozenset(origin.encode() for origin in settings.cors_origins)
        self._constant = b"".join(b"%b: %b\r\n" % header for header in headers)
        self._heads: dict[tuple[int, bytes], bytes] = {}
        self._prefix = request_ids.encode()
        self._counter = 0
        self._limits_s = {
            IDLE: settings.idle_timeout_s,
            HEADER: settings.header_timeout_s,
            BODY: settings.body_timeout_s,
            LINGER: _LINGER_S,
        }

    def head(self, status: int, kind: bytes) -> bytes:
        """The first lines of an answer, which don't depend on the request. Kept for a second, for the date's sake."""
        known = self._heads.get((status, kind))
        if known is None:
            try:
                phrase = HTTPStatus(status).phrase
            except ValueError:
                phrase = ""
            known = b"HTTP/1.1 %d %b\r\ndate: %b\r\ncontent-type: %b\r\n%b" % (
                status,
                phrase.encode(),
                formatdate(usegmt=True).encode(),
                kind,
                self._constant,
            )
            self._heads[status, kind] = known
        return known

    def new_id(self) -> bytes:
        """A request id that no other request of this service has."""
        self._counter += 1
        return b"%b-%x" % (self._prefix, self._counter)

    def tick(self) -> None:
        """To be called about once a second: ends connections that wait too long, forgets the date."""
        self._heads.clear()
        now = monotonic()
        for connection in list(self.connections):
            limit_s = self._limits_s.get(connection.waits_for)
            if limit_s is not None and now - connection.since > limit_s:
                connection.expire()
            elif connection.is_stuck(now):
                connection.abort()

    def drain(self) -> None:
        """From now on every answer is its connection's last."""
        self.draining = True

    def close_idle(self, idle_s: float) -> None:
        """Closes the connections that have asked nothing for so long."""
        now = monotonic()
        for connection in list(self.connections):
            if connection.waits_for == IDLE and now - connection.since >= idle_s:
                connection.close()


class Connection(asyncio.Protocol):
    """One client. Requests that it sends before their predecessor is answered wait their turn."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.waits_for = IDLE
        self.since = monotonic()
        self._parser = make_parser(self)
        self._transport: asyncio.Transport
        self._current: Request | None = None
        self._pipeline: deque[Request] = deque()
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._header_bytes = 0
        self._held_bytes = 0  # what came since the parser last had a header or a piece of a body whole
        self._request: Request | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._without_offer = b""
        self._last = False  # nothing after what is being read or answered
        self._blocked_since = 0.0  # the client doesn't read its answers

    # --- the transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # of a stream: it can be written to
        door = self.door
        door.connections.add(self)
        if len(door.connections) > door.settings.max_connections:
            door.reject(REASONS.index("connections"))
            self._refuse(Refused(503, "Too many connections.", ((b"retry-after", b"1"),)))

    def connection_lost(self, exc: Exception | None) -> None:
        self.door.connections.discard(self)
        self._pipeline.clear()
        self._last = True

    def data_received(self, data: bytes) -> None:
        if self._last:
            return
        if self.waits_for == IDLE:
            self.waits_for = HEADER
            self.since = monotonic()
        self._held_bytes += len(data)
        try:
            self._parser.feed_data(data)
            if self._held_bytes > self.door.settings.max_header_bytes:
                self._refuse_header()
        except Upgrade as upgrade:
            # The parser stops at an offer of another protocol. The request is read again without the offer.
            self._parser = make_parser(self)
            self.data_received(self._without_offer + data[upgrade.args[0] :])
        except ParserError as error:
            # A refusal raised in a callback comes out as the cause of a parser's error.
            cause = error.__context__
            self._refuse(cause if isinstance(cause, Refused) else Refused(400, f"This is not HTTP/1.1: {error}."))
        except Refused as refused:
            self._refuse(refused)

    def eof_received(self) -> bool | None:
        # A client that has shut its sending side may still wait for its answer.
        return self._current is not None

    def pause_writing(self) -> None:
        self._blocked_since = monotonic()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._blocked_since = 0.0
        self._read_on()

    # --- the parser's side

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = {}
        self._header_bytes = 0
        self._body = []
        self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count_header(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_header(len(name) + len(value) + 4)
        if self._request is not None:  # after the body: a header that nobody before us has seen
            return
        name = name.lower()
        headers = self._headers
        headers[name] = headers[name] + b", " + value if name in headers else value

    def on_headers_complete(self) -> None:
        self._held_bytes = 0
        settings = self.door.settings
        headers = self._headers
        path, _, query = self._url.partition(b"?")
        if not path.startswith(b"/"):
            path = _without_host(path)
        parser = self._parser
        if parser.should_upgrade():
            self._without_offer = self._head_without_offer()
            return
        request = self._request = Request(self, parser.get_method(), path, query, headers)
        request.id = self._id_of(headers)
        is_current = parser.get_http_version() == "1.1"
        if is_current and (b"host" not in headers or b"," in headers[b"host"]):
            raise Refused(400, "An HTTP/1.1 request names its host, once.")
        if b"transfer-encoding" in headers and headers[b"transfer-encoding"].lower() != b"chunked":
            raise Refused(501, "The only transfer coding that is known here is chunked.")
        request.keep_alive = parser.should_keep_alive() and is_current
        length = headers.get(b"content-length")
        if length is not None and int(length) > settings.max_body_bytes:
            self._refuse_body()
        self.waits_for = BODY
        if b"expect" in headers and headers[b"expect"].lower() == b"100-continue" and self._current is None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._held_bytes = 0
        self._body_bytes += len(body)
        if self._body_bytes > self.door.settings.max_body_bytes:
            self._refuse_body()
        self._body.append(body)

    def on_message_complete(self) -> None:
        request = self._request
        if request is None:
            return
        self._request = None
        parts = self._body
        request.body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._body = []
        if self._current is None and not self._pipeline:
            self._start(request)
            return
        self._pipeline.append(request)
        if len(self._pipeline) >= _PIPELINE_LIMIT:
            self._transport.pause_reading()

    # --- answers

    def answer(self, request: Request, response: Response) -> None:
        """Sends the answer to the request that is its turn."""
        if request.answered:
            return
        request.answered = True
        door = self.door
        door.in_flight -= 1
        door.count(request, response)
        self._current = None
        if self._transport.is_closing():
            return
        keep = request.keep_alive and not self._last and not door.draining
        self._write(request, response, keep)
        if keep:
            self.waits_for = IDLE
            self.since = monotonic()
            if self._pipeline:
                self.waits_for = ANSWER
                asyncio.get_running_loop().call_soon(self._start_next)  # not here: a long row would nest as deep
        elif self._last or self._pipeline:
            self._finish()
        else:  # all that came was read, so nothing can take the answer away
            self._transport.close()

    def _start_next(self) -> None:
        if self._pipeline:  # the client may have gone meanwhile
            request = self._pipeline.popleft()
            self._read_on()
            self._start(request)

    def _read_on(self) -> None:
        """Takes more from the client, unless it has enough to do with what it was sent, or asked."""
        if not self._blocked_since and len(self._pipeline) < _PIPELINE_LIMIT:
            self._transport.resume_reading()

    def _start(self, request: Request) -> None:
        self.waits_for = ANSWER
        self._current = request
        self.door.in_flight += 1
        request.started = perf_counter()
        self.door.handle(request)

    def _write(self, request: Request, response: Response, keep: bool) -> None:
        status, body, kind, headers, _ = response
        more = b"".join(b"%b: %b\r\n" % header for header in headers) if headers else b""
        client = request.headers.get(b"x-ms-client-request-id")
        if client is not None and len(client) <= _REQUEST_ID_LIMIT and client.isascii():
            more += b"x-ms-client-request-id: %b\r\nx-ms-request-id: %b\r\n" % (client, client)
        if self.door.origins:
            more += self._let_in(request.headers.get(b"origin", b""))
        if not keep:
            more += b"connection: close\r\n"
        if request.exec_ms >= 0.0:
            more += b"x-ms-run-fn-exec-ms: %.3f\r\nx-ms-run-function-failed: False\r\n" % request.exec_ms
        elif request.failed:
            more += b"x-ms-run-function-failed: True\r\n"
        head = self.door.head(status, kind)
        if status in _WITHOUT_BODY:
            self._transport.write(b"%b%bx-request-id: %b\r\n\r\n" % (head, more, request.id))
            return
        self._transport.write(
            b"%b%bx-request-id: %b\r\ncontent-length: %d\r\n\r\n%b"
            % (head, more, request.id, len(body), b"" if request.method == b"HEAD" else body)
        )

    def _let_in(self, origin: bytes) -> bytes:
        """What a browser wants to hear before it shows an answer to the page that asked."""
        known = self.door.origins
        if b"*" in known:
            return b"access-control-allow-origin: *\r\n"
        allowed = b"access-control-allow-origin: %b\r\n" % origin if origin in known else b""
        return allowed + b"vary: origin\r\n"

    # --- ends

    def _id_of(self, headers: dict[bytes, bytes]) -> bytes:
        """The id that the client gave the request, or a new one."""
        given = headers.get(b"x-request-id")
        if given is not None and len(given) > _REQUEST_ID_LIMIT:
            raise Refused(431, f"x-request-id may have at most {_REQUEST_ID_LIMIT} characters.")
        return given if given and given.isascii() else self.door.new_id()

    def _head_without_offer(self) -> bytes:
        method = self._parser.get_method()
        if method == b"CONNECT":
            raise Refused(405, "This service is no proxy.")
        headers = [item for item in self._headers.items() if item[0] not in (b"upgrade", b"connection")]
        lines = [b"%b %b HTTP/1.1" % (method, self._url), *(b"%b: %b" % header for header in headers)]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > self.door.settings.max_header_bytes:
            self._refuse_header()

    def _refuse_header(self) -> None:
        self.door.reject(REASONS.index("header"))
        raise Refused(431, f"The request's header is larger than {self.door.settings.max_header_bytes} bytes.")

    def _refuse_body(self) -> None:
        self.door.reject(REASONS.index("body"))
        raise Refused(413, f"The body is larger than {self.door.settings.max_body_bytes} bytes (max_body).")

    def _refuse(self, refused: Refused) -> None:
        """Answers a request that was not read to its end, and reads no other one."""
        if self._last:
            return
        self._last = True
        if self._current is not None or self._pipeline:  # the answer before it comes first, and is the last
            return
        request = self._request or Request(self, b"GET", b"", b"", {})
        request.id = request.id or self.door.new_id()
        response = error_response(request, refused.status, refused.message, refused.headers)
        self.door.count(request, response)
        self._write(request, response, keep=False)
        self._finish()

    def _finish(self) -> None:
        """Ends the connection once the client has read its answer, though it may still be sending.

        A close with unread data in the buffer is a reset, which can take the answer away from the client. So only
        our side is closed; what still comes is thrown away for a while.
        """
        self._last = True
        self.waits_for = LINGER
        self.since = monotonic()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def expire(self) -> None:
        """Ends a connection that has waited too long: with a 408 in the middle of a request."""
        if self.waits_for in (HEADER, BODY):
            self.door.reject(REASONS.index("timeout"))
            self._refuse(Refused(408, "The request took too long to arrive."))
            return
        self.close()

    def is_stuck(self, now: float) -> bool:
        """Whether the client has long stopped reading."""
        return bool(self._blocked_since) and now - self._blocked_since > _WRITE_TIMEOUT_S

    def close(self) -> None:
        """Closes it once everything is sent."""
        self._transport.close()

    def abort(self) -> None:
        """Closes it now."""
        self._transport.abort()


def _without_host(url: bytes) -> bytes:
    """The path of a request line in the form for proxies, `http://host/path`."""
    _, is_whole, rest = url.partition(b"://")
    return b"/" + rest.partition(b"/")[2] if is_whole else url
