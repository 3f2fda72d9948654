"""The log of a generation: what its containers print, of several each line with the replica's number."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlplan.targets.docker.containers import lines_of, output

if TYPE_CHECKING:
    from mlplan.targets.docker.engine import Engine
    from mlplan.targets.docker.generations import Generation


def log_of(engine: Engine, generation: Generation, *, follow: bool) -> Iterator[str]:
    """Its lines, replica by replica; with `follow` as they come, until the last replica ends."""
    ids = [str(container["Id"]) for container in generation.containers]
    if len(ids) == 1:
        yield from lines_of(output(engine, ids[0], follow=follow))
    elif follow:
        yield from _followed(engine, ids)
    else:
        for number, container in enumerate(ids, start=1):
            for line in lines_of(output(engine, container, follow=False)):
                yield f"[{number}] {line}"


def _followed(engine: Engine, ids: list[str]) -> Iterator[str]:
    """The lines of several containers as they come."""
    said: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def listen(number: int, container: str) -> None:
        try:
            for line in lines_of(output(engine, container, follow=True)):
                said.put(f"[{number}] {line}")
        finally:
            said.put(None)

    engine.client  # noqa: B018 - made once, before several threads ask for it
    for number, container in enumerate(ids, start=1):
        threading.Thread(target=listen, args=(number, container), daemon=True).start()
    listening = len(ids)
    while listening:
        line = said.get()
        if line is None:
            listening -= 1
        else:
            yield line
