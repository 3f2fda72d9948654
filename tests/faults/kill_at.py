"""Runs mlplan and ends it by SIGKILL at its N-th effect: the program that the fault campaign starts.

    python kill_at.py POINT REPORT -- apply -y

Every effect that Python makes passes the interpreter's audit hooks: names that appear or change on disk, processes
that start, sockets that are asked, signals that are sent. So the points are found by enumeration: with POINT 0
nothing is killed, and what each point is goes to REPORT.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

EFFECTS = {
    "os.link", "os.rename", "os.truncate", "os.kill", "os.killpg", "subprocess.Popen", "socket.connect",
    "socket.bind", "shutil.rmtree",
}  # fmt: skip
"""What commits (a link, a rename), starts (a process), waits and switches (a socket), ends (a signal) and collects.

Left out are the many that only prepare one of these aside: folders made, modes set, temporary files removed.
"""


def watch(point: int, report: str) -> None:
    """Counts effects of this process, and ends it just before number `point`."""
    lock = threading.RLock()  # the deadly os.kill passes here, too
    seen: list[str] = []
    own = os.getpid()

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event not in EFFECTS or os.getpid() != own:
            return
        with lock:
            seen.append(f"{event} {str(arguments[0] if arguments else '')[-80:]}")
            if len(seen) == point:
                os.write(2, f"killed before effect {point}: {seen[-1]}\n".encode())
                os.kill(own, signal.SIGKILL)

    sys.addaudithook(hook)
    if report:
        import atexit

        def write() -> None:
            with open(report, "w", encoding="utf-8") as stream:
                json.dump(seen, stream)

        atexit.register(write)


def main() -> None:
    """Reads its own two words, then is mlplan."""
    point, report = int(sys.argv[1]), sys.argv[2]
    words = sys.argv[4:]
    from mlplan.cli.main import main as mlplan

    watch(point, report if point == 0 else "")
    code = mlplan(words)
    sys.exit(code)


if __name__ == "__main__":
    main()
