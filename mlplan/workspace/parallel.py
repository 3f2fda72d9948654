"""Work on all cores, by threads: for reading and digesting, where the interpreter lets other threads go on."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """How many this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def in_parallel(work: Callable[[T], R], items: Sequence[T], *, threads: int | None = None) -> list[R]:
    """`work` of each item, in order. Raises what the first failing item raised; later ones are then not begun."""
    count = min(threads or cores(), len(items))
    if count <= 1:
        return [work(item) for item in items]
    from threading import Lock, Thread

    lock, remaining = Lock(), iter(range(len(items)))
    results: dict[int, R] = {}
    failures: list[tuple[int, BaseException]] = []

    def go_on() -> None:
        while True:
            with lock:
                index = -1 if failures else next(remaining, -1)
            if index < 0:
                return
            try:
                results[index] = work(items[index])
            except BaseException as error:  # handed to the caller below
                failures.append((index, error))

    workers = [Thread(target=go_on, daemon=True) for _ in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise min(failures, key=lambda failure: failure[0])[1]
    return [results[index] for index in range(len(items))]
