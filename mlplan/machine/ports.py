"""Ports of this machine: who answers on one, and who has it.

On the way of every `plan`: no HTTP library, and no longer than a bounded time.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic


class Health(NamedTuple):
    """What a service answers to `GET /`."""

    status: int  # HTTP's; 0: no answer
    digest: str  # what it says it serves
    problem: str  # why there is no answer, or ""


def health(host: str, port: int, *, timeout_s: float) -> Health:
    """The state of the service on this port, as it says itself."""
    try:
        head, _ = _get(host, port, "/", "", timeout_s, whole=False)
    except OSError as error:
        return Health(0, "", str(error.strerror or error))
    lines = head.split("\r\n")
    words = lines[0].split()
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdecimal():
        return Health(0, "", "what answers there doesn't speak HTTP")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return Health(int(words[1]), headers.get("x-mlplan-digest", ""), "")


def page(host: str, port: int, path: str, *, key: str = "", timeout_s: float) -> str:
    """The text that a service has at this path; "" where there is none, or no answer."""
    try:
        head, body = _get(host, port, path, f"Authorization: Bearer {key}\r\n" if key else "", timeout_s, whole=True)
    except OSError:
        return ""
    return body.decode(errors="replace") if head.split(None, 2)[1:2] == ["200"] else ""


def reachable(host: str) -> str:
    """An address under which a service that listens on `host` answers on this machine."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)


def url(host: str, port: int) -> str:
    """The service's address for a client on this machine, without a trailing slash."""
    name = reachable(host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def is_free(host: str, port: int) -> bool:
    """Whether a service could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as attempt:
            # Connections that were closed a moment ago don't count, as they won't for the service.
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind((host, port))
            attempt.listen(1)
    except OSError:
        return False
    return True


def port_taken(service: str, host: str, port: int) -> Diagnostic:
    """That another program has a service's port, and which one."""
    from mlplan.codes import target as codes

    return codes.MLP8002.diagnostic(
        f"Service {service} is to listen on port {port} of {host}, and {who_listens(port)} does.",
        hint=f"End that program, or give deployment {service} another `port`.",
    )


def who_listens(port: int) -> str:
    """The program that listens on a port, as far as this user may know."""
    import psutil

    try:
        connections = psutil.net_connections(kind="inet")
    except (psutil.Error, OSError):
        return "another program"
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            with contextlib.suppress(psutil.Error):
                if connection.pid:
                    return f"`{psutil.Process(connection.pid).name()}` (process {connection.pid})"
    return "another program"


def _get(host: str, port: int, path: str, header: str, timeout_s: float, *, whole: bool) -> tuple[str, bytes]:
    """The head of the answer to a GET, and what came of its body: all of it where the `whole` answer is wanted.

    Raises: OSError where there is none in time.
    """
    name = reachable(host)
    deadline = time.monotonic() + timeout_s
    with socket.create_connection((name, port), timeout=timeout_s) as connection:
        request = f"GET {path} HTTP/1.1\r\nHost: {name}:{port}\r\n{header}Connection: close\r\n\r\n"
        connection.sendall(request.encode("ascii"))
        data = b""
        while whole or b"\r\n\r\n" not in data:
            left = deadline - time.monotonic()
            if left <= 0 or len(data) > 1 << 20:
                raise TimeoutError("no whole answer in time")
            connection.settimeout(left)
            block = connection.recv(65536)
            if not block:
                break
            data += block
    head, _, body = data.partition(b"\r\n\r\n")
    return head.decode("latin-1"), body
