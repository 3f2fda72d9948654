"""Runs mlplan with a watch on what Python does: the program that the tests of hostile branches start.

    python watched.py PROJECT -- plan --base main

Every import, execution, socket, process and written file passes the interpreter's audit hooks. What must not happen
is printed on stderr, one line each, beginning with VIOLATION, and the exit code is 99.
"""

from __future__ import annotations

import os
import sys
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGES = {"os.remove", "os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate"}
STARTS = {"os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn"}


def main() -> None:
    project, words = os.path.realpath(sys.argv[1]), sys.argv[3:]
    violations: list[str] = []

    def is_inside(path: object) -> bool:
        return isinstance(path, (str, bytes)) and os.path.realpath(os.fsdecode(path)).startswith(project)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        wrong = ""
        if event.startswith("socket.") and event != "socket.__new__":
            wrong = str(arguments[1:])
        elif event == "subprocess.Popen":
            wrong = "" if os.path.basename(str(arguments[0])) == "git" else str(arguments[0])
        elif event in STARTS:
            wrong = str(arguments)
        elif event == "import":
            wrong = str(arguments[1]) if is_inside(arguments[1]) else ""
        elif event == "exec":
            name = arguments[0].co_filename
            wrong = name if name.startswith(project) else ""
        elif event == "open":
            path, mode, flags = arguments
            writes = (isinstance(mode, str) and set("wax+") & set(mode)) or (flags or 0) & WRITING
            wrong = str(path) if writes and is_inside(path) else ""
        elif event in CHANGES:
            is_relative = (
                event in ("os.remove", "os.rmdir") and arguments[1] != -1
            )  # to an open folder: a scratch one's
            wrong = str(arguments[0]) if not is_relative and is_inside(arguments[0]) else ""
        if wrong:
            violations.append(f"VIOLATION {event} {wrong}")

    from mlplan.cli.main import main as mlplan

    sys.addaudithook(hook)
    code = mlplan(words)
    if violations:
        print("\n".join(violations), file=sys.stderr)
        code = 99
    sys.exit(code)


if __name__ == "__main__":
    main()
