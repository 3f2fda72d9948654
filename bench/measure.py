"""Runs commands in turn and compares them: round by round, so that what slows the machine slows both."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Command(NamedTuple):
    """A process to measure: its arguments, its folder, what it adds to the environment."""

    argv: Sequence[str]
    folder: str
    env: Mapping[str, str] = {}
    before: Callable[[], None] | None = None  # not measured


class Sample(NamedTuple):
    """One execution."""

    seconds: float  # from before the start to after the end
    peak_bytes: int  # of the largest process among it and its children


class Failed(Exception):
    """A command that should succeed did not."""


def run(command: Command, *, accept: Sequence[int] = (0,)) -> Sample:
    """Executes a command once. Raises: Failed where its exit code is none of `accept`."""
    if command.before is not None:
        command.before()
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | dict(command.env)
    with (
        open(os.devnull, "rb") as nothing,
        open(os.path.join(command.folder, "..", "last-output.txt"), "wb+") as said,
    ):
        redirect = [
            (os.POSIX_SPAWN_DUP2, file.fileno(), number) for number, file in ((0, nothing), (1, said), (2, said))
        ]
        began = time.perf_counter()
        pid = os.posix_spawnp(
            "/bin/sh",
            ["sh", "-c", 'cd "$0" && exec "$@"', command.folder, *command.argv],
            environment,
            file_actions=redirect,
        )
        _, status, usage = os.wait4(pid, 0)
        seconds = time.perf_counter() - began
        if os.waitstatus_to_exitcode(status) not in accept:
            said.seek(0)
            raise Failed(f"{' '.join(command.argv)} in {command.folder}:\n{said.read().decode(errors='replace')}")
    return Sample(seconds, usage.ru_maxrss * 1024)


def in_turn(commands: Mapping[str, Command], rounds: int) -> dict[str, list[Sample]]:
    """Samples of each command. Each round runs all of them, in turning order; the first only warms up."""
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    names = list(commands)
    for turn in range(rounds + 1):
        for name in names if turn % 2 else reversed(names):
            sample = run(commands[name])
            if turn:
                samples[name].append(sample)
    return samples


def median_s(samples: Sequence[Sample]) -> float:
    return statistics.median(sample.seconds for sample in samples)


def ratio(ours: Sequence[Sample], theirs: Sequence[Sample]) -> float:
    """The median of our time over theirs, taken pair by pair."""
    return statistics.median(a.seconds / b.seconds for a, b in zip(ours, theirs, strict=True))
