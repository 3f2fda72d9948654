"""Runs mlplan and tells how much of its time went into doing everything exactly once.

    python exactly_once.py REPORT -- apply -y    seconds go to REPORT as JSON: {"whole": ..., "exactly_once": ...}

Counted is every moment that a thread spends in taking, asking for and giving back the lease, in commits of intents
and results, and in flushing anything to the disk; what happens inside one another counts once. Threads work side by
side, so the sum is an upper bound of what the apply would save without all that. The one flush that a run's
supervisor makes in a process of its own is measured by making it again.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

SPENT: list[float] = []
INSIDE = threading.local()


def timed(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same call, its time noted unless it is part of one that is timed already."""

    def noted(*arguments: Any, **named: Any) -> Any:
        if getattr(INSIDE, "now", False):
            return call(*arguments, **named)
        INSIDE.now = True
        began = time.perf_counter()
        try:
            return call(*arguments, **named)
        finally:
            SPENT.append(time.perf_counter() - began)
            INSIDE.now = False

    return noted


def time_all() -> None:
    """Has everything timed that exists to do things exactly once."""
    from mlplan.workspace import durable
    from mlplan.workspace.lease import WorkspaceLease
    from mlplan.workspace.log import WorkspaceLog

    os.fsync = timed(os.fsync)
    for name in ("flush_files", "flush_folders"):
        setattr(durable, name, timed(getattr(durable, name)))
    for name in ("append", "append_if", "keep_checkpoint"):
        setattr(WorkspaceLog, name, timed(getattr(WorkspaceLog, name)))
    for name in ("take", "release", "ensure", "beat"):
        setattr(WorkspaceLease, name, timed(getattr(WorkspaceLease, name)))


def flush_once(folder: str) -> None:
    """What a supervisor does when its run has ended."""
    from mlplan.machine.files import write_json

    path = os.path.join(folder, "flushed.json")
    write_json(path, {"exit_code": 0}, durable=True)
    os.unlink(path)


def main() -> None:
    """Reads its own word, then is mlplan."""
    report, words = sys.argv[1], sys.argv[3:]
    began = time.perf_counter()
    time_all()
    from mlplan.cli.main import leave
    from mlplan.cli.main import main as mlplan

    code = mlplan(words)
    whole = time.perf_counter() - began
    timed(flush_once)(os.path.dirname(report))
    with open(report, "w", encoding="utf-8") as stream:
        json.dump({"whole": whole, "exactly_once": sum(SPENT)}, stream)
    leave(code)


if __name__ == "__main__":
    main()
