"""Reads HTTP/1.1 from bytes and calls back: httptools where there is one, h11 in pure Python elsewhere.

Both call the methods of `Sink` and raise `ParserError`; the rules of what is a valid request are theirs.
"""

from __future__ import annotations

from typing import Any, Callable, Protocol

try:
    import httptools

    ParserError: type[Exception] = httptools.HttpParserError
    Upgrade: type[Exception] = httptools.HttpParserUpgrade
except ImportError:  # no wheel for this interpreter
    httptools = None  # type: ignore[assignment,unused-ignore]  # asked below: is it there?
    import h11

    ParserError = h11.RemoteProtocolError

    class Upgrade(Exception):  # type: ignore[no-redef]  # stands in for httptools'
        """Never raised by h11, which goes on after an upgrade that is not taken up."""


class Sink(Protocol):
    """What a parser reports to."""

    def on_message_begin(self) -> None: ...
    def on_url(self, url: bytes) -> None: ...
    def on_header(self, name: bytes, value: bytes) -> None: ...
    def on_headers_complete(self) -> None: ...
    def on_body(self, body: bytes) -> None: ...
    def on_message_complete(self) -> None: ...


class _PureParser:
    """h11 behind httptools' interface. It reads one request at a time and starts afresh after each."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._start()

    def _start(self) -> None:
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=2**20)
        self._request: Any = None

    def feed_data(self, data: bytes) -> None:
        self._connection.receive_data(data)
        while True:
            event = self._connection.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return
            if isinstance(event, h11.Request):
                self._request = event
                self._sink.on_message_begin()
                self._sink.on_url(event.target)
                for name, value in event.headers:
                    self._sink.on_header(name, value)
                self._sink.on_headers_complete()
            elif isinstance(event, h11.Data):
                self._sink.on_body(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._sink.on_message_complete()
                rest = self._connection.trailing_data[0]
                self._start()
                if not rest:
                    return
                self._connection.receive_data(rest)

    def get_method(self) -> bytes:
        return bytes(self._request.method)

    def get_http_version(self) -> str:
        return bytes(self._request.http_version).decode("ascii")

    def should_upgrade(self) -> bool:
        return False  # h11 goes on with HTTP/1.1 after an offer that isn't taken up

    def should_keep_alive(self) -> bool:
        listed = b",".join(value for name, value in self._request.headers if name == b"connection").lower()
        return bytes(self._request.http_version) == b"1.1" and b"close" not in listed


make_parser: Callable[[Sink], Any] = _PureParser if httptools is None else httptools.HttpRequestParser
