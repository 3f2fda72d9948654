"""One process at a time at a job or a service, also where one lost the workspace and doesn't know it yet.

The lease sees to it that one apply works. Who lost it (frozen, or declared gone by `mlplan unlock`) may still be in
the middle of something; these locks keep others off until that is over. `files.locked` is the lock itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from mlplan.codes import target as codes
from mlplan.errors import ExitCode, Refusal
from mlplan.machine import files

PATIENCE_S = 60.0
"""How long another one's work at the same job or service may take until one says so and gives up."""


@contextmanager
def exclusive(path: str, what: str, *, patience_s: float = PATIENCE_S) -> Iterator[int]:
    """Holds the lock at `path` and yields its descriptor. `what` is locked, in a user's words: "run train".

    Raises: Refusal MLP8009 (exit code 6), naming who holds it, where that one is frozen or takes too long.
    """
    with ExitStack() as stack:
        try:
            handle = stack.enter_context(files.locked(path, patience_s=patience_s))
        except files.StillHeld as held:
            raise Refusal([codes.MLP8009.diagnostic(_who(what, held), hint=_way_out(held))], ExitCode.BUSY) from held
        yield handle


def _who(what: str, held: files.StillHeld) -> str:
    holder = f"process {held.pid}" if held.pid else "another process"
    if held.stopped:
        return (
            f"{holder} was frozen in the middle of its work at {what}, and nobody else can work there until it ends."
        )
    return f"{holder} is at work at {what}, and has been for more than {PATIENCE_S:.0f} s."


def _way_out(held: files.StillHeld) -> str:
    if not held.pid:
        return "Wait until it is done, or end it; then go on with:\n    mlplan apply"
    if held.stopped:
        return (
            f"End it, which loses nothing, or let it go on (it will find that it may do nothing more):\n"
            f"    kill -KILL {held.pid}\n    kill -CONT {held.pid}\nThen go on with:\n    mlplan apply"
        )
    return f"Wait until it is done, or end it:\n    kill {held.pid}\nThen go on with:\n    mlplan apply"
