"""The control socket: one JSON object per line in, one out, over a unix stream socket.

    {"do": "status"}                           -> {"pid", "phase", "candidate_url", "key", "digest", "workers",
                                                  "uptime_s", "restarts", "error", "bound", "metrics"}
    {"do": "go-live", "from": path or null}    -> {"phase": "live"} or {"error": text}
    {"do": "hand-over"}, {"do": "retire"}      between two generations: the listening socket, then "it is mine now"
    {"do": "stop", "grace_s": 10}              -> {"phase": "draining"}

`bound` is false while the public port belongs to somebody else: the generation to take over from, or a stranger.
`ask` is the client. The supervisor answers them (`supervisor.py`).
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

Message = dict[str, Any]

_PATH_LIMIT = 100  # a little under the 104 and 108 bytes that kernels take
_LINE_LIMIT = 1 << 20


@contextlib.contextmanager
def reachable(path: str) -> Iterator[str]:
    """A spelling of `path` short enough for a socket's address, while the context is open.

    Raises: OSError where the folder is missing, or the path is too long on a system without /proc.
    """
    if len(os.fsencode(path)) <= _PATH_LIMIT:
        yield path
        return
    if not sys.platform.startswith("linux"):
        raise OSError(f"the path of the control socket is longer than {_PATH_LIMIT} bytes: {path}")
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{os.path.basename(path)}"
    finally:
        os.close(folder)


def listen(path: str) -> socket.socket:
    """A listening control socket that only this user may open. A stale file in its place is replaced."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with reachable(path) as address:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(address)
        server.bind(address)
        os.chmod(address, 0o600)
    server.listen(128)
    server.setblocking(False)
    return server


class Channel:
    """One end of a stream of JSON lines that may carry descriptors."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._received = b""

    def send(self, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        """Sends one line. Raises: OSError where nobody reads any more."""
        counted = {**message, "descriptors": len(descriptors)} if descriptors else message
        line = json.dumps(counted).encode() + b"\n"
        sent = socket.send_fds(self.connection, [line], list(descriptors)) if descriptors else 0
        if sent < len(line):
            self.connection.sendall(line[sent:])

    def read(self) -> list[tuple[Message, list[int]]] | None:
        """The messages that arrived, each with its descriptors; None at the end of the stream.

        Raises: ValueError for what is no JSON object, or a line without end.
        """
        try:
            data, descriptors, _, _ = socket.recv_fds(self.connection, 65536, 4)
        except (BlockingIOError, InterruptedError):
            return []
        except ConnectionError:
            return None
        if not data:
            return None
        *lines, self._received = (self._received + data).split(b"\n")
        if len(self._received) > _LINE_LIMIT:
            raise ValueError("a control message has no end")
        messages = [json.loads(line) for line in lines]
        if not all(isinstance(message, dict) for message in messages):
            raise ValueError("a control message must be a JSON object")
        # The kernel may join two messages into one read, so each says how many of the descriptors are its own.
        waiting = iter(descriptors)
        return [(message, list(islice(waiting, message.pop("descriptors", 0)))) for message in messages]

    def next(self) -> tuple[Message, list[int]]:
        """The next message, waited for. Raises: ConnectionError at the end of the stream, TimeoutError."""
        while True:
            messages = self.read()
            if messages is None:
                raise ConnectionError("the control socket was closed")
            if messages:
                return messages[0]

    def close(self) -> None:
        """Closes this end."""
        self.connection.close()


def connect(path: str, timeout_s: float) -> Channel:
    """A channel to the supervisor behind `path`. Raises: OSError where there is none."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_s)
    try:
        with reachable(path) as address:
            connection.connect(address)
    except OSError:
        connection.close()
        raise
    return Channel(connection)


def ask(path: str, message: Message, timeout_s: float = 10.0) -> Message:
    """The supervisor's answer to one message. Raises: OSError where there is none or it doesn't answer in time."""
    channel = connect(path, timeout_s)
    try:
        channel.send(message)
        return channel.next()[0]
    finally:
        channel.close()
