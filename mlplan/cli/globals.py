"""What stands before the command: where the project is, and which of its faces is meant."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from mlplan.cli.streams import Unwritten, patient

if TYPE_CHECKING:
    from collections.abc import Callable


class Globals(NamedTuple):
    """The options that every command takes."""

    directory: str = "."  # -C
    file: str = "mlplan.yaml"  # -f
    profile: str = ""  # --profile
    variables: tuple[tuple[str, str], ...] = ()  # --var NAME=VALUE
    variable_files: tuple[str, ...] = ()  # --var-file

    @property
    def call(self) -> str:
        """How to call mlplan with these, up to the command, quoted for a shell: `mlplan -C demo --profile prod`."""
        if self == Globals():
            return "mlplan"
        import shlex

        words = ["-C", self.directory] if self.directory != "." else []
        words += ["-f", self.file] if self.file != "mlplan.yaml" else []
        words += ["--profile", self.profile] if self.profile else []
        for name, value in self.variables:
            words += ["--var", f"{name}={value}"]
        for file in self.variable_files:
            words += ["--var-file", file]
        return shlex.join(["mlplan", *words])


_current = Globals()


def called_with(options: Globals) -> None:
    """Remembers what this process was called with: whatever it tells its user to type next goes on with that."""
    global _current
    _current = options


def call() -> str:
    """How this process was called, up to the command: `mlplan`, or `mlplan -C demo --var rate=0.1`."""
    return _current.call


def typed(command: str) -> str:
    """A command (`mlplan apply`) as this process's user has to type it, to mean the same project."""
    return call() + command.removeprefix("mlplan")


def colour_wanted(stream_is_terminal: bool) -> bool:
    """Whether to colour: on a terminal, unless NO_COLOR is set; everywhere with FORCE_COLOR."""
    if os.environ.get("NO_COLOR"):
        return False
    return stream_is_terminal or bool(os.environ.get("FORCE_COLOR"))


def width() -> int:
    """How wide the terminal is, in cells; 100 where there is none."""
    if os.environ.get("COLUMNS", "").isdigit():
        return max(40, int(os.environ["COLUMNS"]))
    try:
        return max(40, os.get_terminal_size(sys.stdout.fileno()).columns)
    except (OSError, ValueError):
        return 100


def job_url() -> str:
    """The page of the job of GitHub or GitLab that this runs in, with its log and summary; "" elsewhere."""
    run = os.environ.get("GITHUB_RUN_ID")
    if run:
        server, repository = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
        return f"{server}/{repository}/actions/runs/{run}" if server and repository else ""
    return os.environ.get("CI_JOB_URL", "")


def say(text: str) -> None:
    """Data for stdout, with a line end. Raises: BrokenPipeError where nobody reads it, Unwritten where it is full."""
    _written(lambda: sys.stdout.write(text if text.endswith("\n") else text + "\n"))


def flush() -> None:
    """Has all that was said written. Raises: as `say`."""
    _written(sys.stdout.flush)


def _written(act: Callable[[], object]) -> None:
    try:
        act()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unwritten((error.strerror or str(error)).lower()) from error


def tell(text: str) -> None:
    """Progress and errors for stderr, with a line end. Where nobody can be told, nobody is."""
    stream = patient(sys.stderr)
    stream.write(text if text.endswith("\n") else text + "\n")
    stream.flush()
