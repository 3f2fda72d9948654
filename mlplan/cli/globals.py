"""What stands before the command: where the project is, and which of its faces is meant."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple


class Globals(NamedTuple):
    """The options that every command takes."""

    directory: str = "."  # -C
    file: str = "mlplan.yaml"  # -f
    profile: str = ""  # --profile
    variables: tuple[tuple[str, str], ...] = ()  # --var NAME=VALUE
    variable_files: tuple[str, ...] = ()  # --var-file


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
    """Data for stdout, with a line end."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def tell(text: str) -> None:
    """Progress and errors for stderr, with a line end."""
    sys.stderr.write(text if text.endswith("\n") else text + "\n")
    sys.stderr.flush()
