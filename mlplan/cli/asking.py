"""Asking before the world is changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mlplan.cli.globals import tell
from mlplan.codes import plan as codes
from mlplan.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence


def confirm(question: str, command: str, replace: Sequence[str] = ()) -> None:
    """Asks on the terminal, on behalf of a command. Raises: Refusal where the answer is no, or where nobody can
    answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        which = "error" if sys.stdin.isatty() else "input"
        detail = f"This changes the world, and nobody can be asked: standard {which} is no terminal."
        words = " ".join([command, *(f"--replace {address}" for address in replace), "-y"])
        raise Refusal([codes.MLP5004.diagnostic(detail, hint=f"Say yes beforehand:\n    {words}")])
    sys.stderr.write(f"\n{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        tell("Nothing was done.")
        raise Refusal([])
