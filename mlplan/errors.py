"""How a command ends: exit codes, and the one exception that carries diagnostics to the command line."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlplan.diagnostics import Diagnostic
    from mlplan.source import Source


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

    def __init__(
        self,
        diagnostics: Iterable[Diagnostic],
        exit_code: ExitCode = ExitCode.FAILED,
        sources: Iterable[Source] = (),
    ) -> None:
        self.diagnostics = tuple(diagnostics)
        self.sources = tuple(sources)  # the files that the diagnostics point into, where they are at hand
        self.exit_code = exit_code
        super().__init__("; ".join(f"{d.code}: {d.detail}" for d in self.diagnostics))


def bug(error: BaseException, doing: str) -> Diagnostic:
    """The diagnostic for a case that mlplan doesn't foresee; versions and the trace go to a file to attach."""
    import platform
    import tempfile
    import traceback

    from mlplan import __version__
    from mlplan.codes.bug import MLP9001

    trace = "".join(traceback.format_exception(error))
    versions = f"mlplan {__version__}, Python {platform.python_version()}, {platform.platform()}"
    with tempfile.NamedTemporaryFile("w", prefix="mlplan-bug-", suffix=".txt", delete=False) as stream:
        stream.write(f"{versions}\n{doing}\n\n{trace}")
    return MLP9001.diagnostic(
        f"{type(error).__name__} {doing}: {error}", hint=f"Please attach this file to an issue:\n    {stream.name}"
    )
