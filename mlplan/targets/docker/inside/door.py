"""The door of a service: one small container that has the published port, and gives its socket to whoever serves.

The engine can't move a published port from one container to another without a gap. So the port belongs to this
container, which never changes with the service. It listens, accepts nobody itself, and hands the listening socket to
the service's containers over a unix socket in a volume that they share. They accept clients from it directly: nothing
stands between a client and the service, generations change over without losing a connection, and replicas share the
work.

    door.py PORT PATH      listens on PORT of this container; PATH is the unix socket

The messages are those between two generations of the scoring runtime: `hand-over`, answered with the descriptor, and
`retire`, which a door takes note of and stays. Standard library alone, Python 3.9 or newer, and the runtime's
`control.py` beside this file.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlplan.serving.control import Channel
else:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from control import Channel

BACKLOG = 2048


def main(port: int, path: str) -> int:
    """Serves the socket until SIGTERM."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    public = socket.create_server(("0.0.0.0", port), backlog=BACKLOG)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    askers = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    askers.bind(path)
    os.chmod(path, 0o600)
    askers.listen(64)
    selector = selectors.DefaultSelector()
    selector.register(askers, selectors.EVENT_READ)
    print(f"the door is open on port {port}", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is askers:
                connection, _ = askers.accept()
                selector.register(connection, selectors.EVENT_READ, Channel(connection))
            elif not answer(key.data, public):
                selector.unregister(key.fileobj)
                key.data.close()


def answer(asker: Channel, public: socket.socket) -> bool:
    """Answers what arrived; whether there can be more."""
    try:
        messages = asker.read()
        for message, _ in messages or ():
            if message.get("do") == "hand-over":
                asker.send({"phase": "live"}, (public.fileno(),))
            elif message.get("do") != "retire":
                asker.send({"error": "a door only hands over"})
    except (OSError, ValueError):
        return False
    return messages is not None


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
