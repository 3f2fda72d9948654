"""A loopback HTTP server that is no better than others: breaks off, is busy, ignores ranges, changes content."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Asked(NamedTuple):
    """One request that came in."""

    path: str
    headers: dict[str, str]  # names in lower case


Answer = Callable[["Handler", Asked], None]
"""Writes one answer."""


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the answer that is next for its path; the last one goes on for ever."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()})
        self.server.next_answer(asked)(self, asked)

    def head(self, status: int, **headers: object) -> None:
        """A status line and headers, `Content_Length=3` for `Content-Length: 3`."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


class Server(ThreadingHTTPServer):
    """The server, with what was asked of it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[Asked] = []
        self.answers: dict[str, list[Answer]] = {}
        self._lock = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """Silence: a client that goes away is what some tests are about."""

    def next_answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            answers = self.answers[asked.path.partition("?")[0]]
            return answers.pop(0) if len(answers) > 1 else answers[0]

    def answer(self, path: str, *answers: Answer) -> str:
        """Gives these answers to requests for a path, in turn. Returns its URL."""
        self.answers[path] = list(answers)
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def asked_for(self, header: str) -> list[str | None]:
        """What each request said in a header."""
        return [asked.headers.get(header) for asked in self.asked]


@contextmanager
def running() -> Iterator[Server]:
    """A server on a free port, ended when the block is left."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def whole(content: bytes, **headers: object) -> Answer:
    """200 with all of it, whatever is asked."""

    def answer(handler: Handler, asked: Asked) -> None:
        handler.head(200, Content_Length=len(content), **headers)
        handler.wfile.write(content)

    return answer


def ranged(content: bytes, etag: str, **headers: object) -> Answer:
    """What a good server says: ranges, conditions, an ETag."""

    def answer(handler: Handler, asked: Asked) -> None:
        if asked.headers.get("if-none-match") == etag:
            handler.head(304, ETag=etag)
            return
        begin = asked.headers.get("range", "").removeprefix("bytes=").rstrip("-")
        if not begin or asked.headers.get("if-range", etag) != etag:
            handler.head(200, Content_Length=len(content), ETag=etag, Accept_Ranges="bytes", **headers)
            handler.wfile.write(content)
            return
        rest = content[int(begin) :]
        span = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        handler.head(206, Content_Length=len(rest), Content_Range=span, ETag=etag, **headers)
        handler.wfile.write(rest)

    return answer


def cut(content: bytes, after: int, **headers: object) -> Answer:
    """200 that promises all and breaks off."""

    def answer(handler: Handler, asked: Asked) -> None:
        handler.head(200, Content_Length=len(content), **headers)
        handler.wfile.write(content[:after])
        handler.wfile.flush()
        handler.close_connection = True

    return answer


def refused(status: int, **headers: object) -> Answer:
    """An answer without a body."""

    def answer(handler: Handler, asked: Asked) -> None:
        handler.head(status, Content_Length=0, **headers)

    return answer
