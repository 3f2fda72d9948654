"""What answers on a port, asked without an HTTP library."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator

import pytest

from mlplan.machine.ports import Health, health, is_free, port_taken, reachable, url, who_listens


@contextlib.contextmanager
def answering(*pieces: bytes, close: bool = True) -> Iterator[int]:
    """A port on which every request gets these bytes."""
    ended = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                connection.recv(65536)
                for piece in pieces:
                    connection.sendall(piece)
                if not close:
                    ended.wait()
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            server.shutdown(socket.SHUT_RDWR)


def test_status_and_digest_are_read() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nX-Mlplan-", b"Digest: abc\r\nContent-Length: 0\r\n\r\nHealthy") as port:
        assert health("127.0.0.1", port, timeout_s=2) == Health(200, "abc", "")


def test_a_service_that_is_not_ready_says_so() -> None:
    with answering(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as port:
        assert health("127.0.0.1", port, timeout_s=2) == Health(503, "", "")


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.9\r\n", b"HTTP/1.1 what\r\n\r\n", b"\xff\xfe"])
def test_what_speaks_no_http_is_told(said: bytes) -> None:
    with answering(said) as port:
        assert health("127.0.0.1", port, timeout_s=2) == Health(0, "", "what answers there doesn't speak HTTP")


def test_one_that_never_finishes_is_given_up() -> None:
    with answering(b"HTTP/1.1 200 OK\r\n", close=False) as port:
        answer = health("127.0.0.1", port, timeout_s=0.2)

    assert (answer.status, answer.problem != "") == (0, True)


def test_nobody_is_told() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = health("127.0.0.1", unused.getsockname()[1], timeout_s=2)

    assert (answer.status, answer.problem) == (0, "Connection refused")


def test_who_has_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free("127.0.0.1", port)
        assert f"(process {os.getpid()})" in who_listens(port)
        assert f"(process {os.getpid()})" in port_taken("scorer", "127.0.0.1", port).detail

    assert is_free("127.0.0.1", port)
    assert who_listens(port) == "another program"


def test_addresses_for_a_client_on_this_machine() -> None:
    assert [reachable(host) for host in ("0.0.0.0", "", "::", "10.0.0.1")] == [
        "127.0.0.1",
        "127.0.0.1",
        "::1",
        "10.0.0.1",
    ]
    assert url("::", 80) == "http://[::1]:80"
    assert url("0.0.0.0", 6789) == "http://127.0.0.1:6789"
