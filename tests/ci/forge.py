"""A forge on the loopback: keeps the comments of one pull request (GitHub) or merge request (GitLab) in memory."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LIST = re.compile(r"/repos/team/project/issues/7/comments|/projects/12/merge_requests/7/notes")
ONE = re.compile(r"/repos/team/project/issues/comments/(\d+)|/projects/12/merge_requests/7/notes/(\d+)")


class Handler(BaseHTTPRequestHandler):
    """The few calls that a comment needs."""

    server: Forge

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        query = parse_qs(place.query)
        size, page = int(query["per_page"][0]), int(query["page"][0])
        self.answer(
            200, self.server.comments[size * (page - 1) : size * page] if LIST.fullmatch(place.path) else None
        )

    def do_POST(self) -> None:
        comment = {"id": len(self.server.comments) + 1, **self.body()}
        if self.allowed(LIST):
            self.server.comments.append(comment)
            self.answer(201, comment)

    def do_PATCH(self) -> None:
        body = self.body()
        if self.allowed(ONE):
            found = ONE.fullmatch(self.path)
            assert found is not None
            number = int(found[1] or found[2])
            if number in self.server.somebody_elses:
                self.answer(403, {"message": "not yours"})
                return
            self.server.comments[number - 1].update(body)
            self.answer(200, self.server.comments[number - 1])

    do_PUT = do_PATCH  # noqa: N815  # as http.server calls it

    def body(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return content

    def allowed(self, place: re.Pattern[str]) -> bool:
        """Whether the token may write, and the path is one that there is."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or self.headers.get("PRIVATE-TOKEN")
        if token != "may-write":
            self.answer(403, {"message": "Resource not accessible by integration"})
            return False
        self.server.writes += 1
        return place.fullmatch(self.path) is not None

    def answer(self, status: int, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(status if content is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


class Forge(ThreadingHTTPServer):
    """The forge, with its comments."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments: list[dict[str, Any]] = []
        self.somebody_elses: set[int] = set()
        self.writes = 0

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def running() -> Iterator[Forge]:
    """A forge on a free port, ended when the block is left."""
    forge = Forge()
    threading.Thread(target=forge.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield forge
    finally:
        forge.shutdown()
        forge.server_close()
