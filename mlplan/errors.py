"""How a command ends: exit codes, and the one exception that carries diagnostics to the command line."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlplan.diagnostics import Diagnostic


class ExitCode(IntEnum):
    """Every exit code of the command line."""

    OK = 0
    FAILED = 1
    CHANGES = 2  # plan --detailed-exitcode
    REFUSED = 3  # a gate or a policy
    PARTIAL = 4
    DRIFT = 5  # plan --detailed-exitcode
    BUSY = 6  # another apply holds the workspace
    STALE = 7  # the plan file
    NOT_CONVERGED = 8
    BUG = 70
    INTERRUPTED = 130


class Refusal(Exception):
    """Stops a command with diagnostics for the user.

    Raised wherever going on makes no sense; only `mlplan/cli/main.py` turns it into an exit code.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic], exit_code: ExitCode = ExitCode.FAILED) -> None:
        self.diagnostics = tuple(diagnostics)
        self.exit_code = exit_code
        super().__init__("; ".join(f"{d.code}: {d.detail}" for d in self.diagnostics))
