"""How many threads the numeric libraries of one worker may start: the cores that it has to itself."""

from __future__ import annotations

import os
import sys

from .settings import Config


def worker_threads(config: Config) -> int:
    """The configured number, else this machine's usable cores shared among the workers."""
    if config.threads is not None:
        return max(1, config.threads)
    return max(1, usable_cores() // config.workers)


def usable_cores() -> int:
    """The cores that this process may use, by its affinity and its control group's quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if sys.platform.startswith("linux"):
        try:
            with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as stream:
                quota, period = stream.read().split()
            if quota != "max":
                cores = min(cores, max(1, int(quota) // int(period)))
        except (OSError, ValueError):
            pass
    return cores
