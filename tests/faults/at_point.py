"""Runs mlplan and stops it short at its N-th effect: the program that the fault campaign starts.

    python at_point.py count REPORT -- apply -y    counts effects; what each is goes to REPORT as JSON
    python at_point.py kill N -- apply -y          SIGKILL just before effect N
    python at_point.py freeze N -- apply -y        SIGSTOP just before effect N; after SIGCONT it goes on

With AT_POINT_ONLY=http.client.send in its environment, only effects of that kind count.

Every effect that Python makes passes the interpreter's audit hooks: names that appear or change on disk, processes
that start, locks that are waited for, sockets that are asked, signals that are sent. So the points are found by
enumeration. Threads make their order vary a little from one apply to the next; a point that doesn't come is an apply
that ends by itself.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from itertools import count

EFFECTS = {
    "os.link", "os.rename", "os.truncate", "os.kill", "os.killpg", "subprocess.Popen", "socket.connect",
    "socket.bind", "shutil.rmtree", "fcntl.flock", "http.client.send",
}  # fmt: skip
"""What commits (a link, a rename), starts (a process), waits (a lock, a socket), switches (a socket), ends (a signal)
and collects. Left out are the many that only prepare one of these aside: folders made, modes set, temporary files."""

ALIKE = 3
"""Of effects that repeat unchanged, one after the other, only so many count: a loop that waits for an answer."""


def watch(act: Callable[[int, str], None]) -> None:
    """Calls `act` with the number and the name of each effect of this process, before it is made."""
    effects = {os.environ["AT_POINT_ONLY"]} if "AT_POINT_ONLY" in os.environ else EFFECTS
    lock = threading.RLock()  # the signal that `act` sends passes here, too
    numbers = count(1)
    own = os.getpid()
    last, times = "", 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal last, times
        if event not in effects or os.getpid() != own:
            return
        if event == "http.client.send":
            arguments = order_of(*arguments)
            if not arguments:
                return
        with lock:
            name = f"{event} {' '.join(map(str, arguments[-1:] if event == 'socket.connect' else arguments[:2]))}"
            if "__pycache__" in name:
                return
            times = times + 1 if name == last else 1
            last = name
            if times <= ALIKE:
                act(next(numbers), name[-160:])

    sys.addaudithook(hook)


def order_of(connection: object, sent: object) -> tuple[object, ...]:
    """The first line of a request by which a Docker engine changes something, or nothing. One connection serves many
    of them, so that it was opened tells too little."""
    begins = isinstance(sent, bytes) and sent.startswith((b"POST ", b"PUT ", b"DELETE "))
    if not begins or type(connection).__name__ != "UnixHTTPConnection":
        return ()
    return (str(sent).partition("\\r\\n")[0],)


def stop_short(point: int, signal_number: signal.Signals) -> Callable[[int, str], None]:
    """What `watch` is to do: a signal to itself at one point, named on stderr."""

    def act(number: int, name: str) -> None:
        if number == point:
            os.write(2, f"{signal_number.name} before effect {number}: {name}\n".encode())
            os.kill(os.getpid(), signal_number)

    return act


def main() -> None:
    """Reads its own two words, then is mlplan."""
    action, point, words = sys.argv[1], sys.argv[2], sys.argv[4:]
    from mlplan.cli.main import leave
    from mlplan.cli.main import main as mlplan

    seen: list[str] = []
    if action == "count":
        watch(lambda number, name: seen.append(name))
    else:
        watch(stop_short(int(point), {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}[action]))
    code = mlplan(words)
    if action == "count":
        counted = list(seen)
        with open(point, "w", encoding="utf-8") as stream:
            json.dump(counted, stream)
    leave(code)


if __name__ == "__main__":
    main()
