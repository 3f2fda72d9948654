"""A thread beside the event loop, in which calls of the model run one after the other, and can be told to give up."""

from __future__ import annotations

import asyncio
import ctypes
import queue
import threading
from time import perf_counter
from typing import Callable

from .jobs import Job, Outcome, TimeLimit, execute


class ScoringThread:
    """Runs jobs beside the event loop, one list after the other."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        enter: Callable[[], None],
        come_back: Callable[[ScoringThread, list[Job], list[Outcome], float, float], None],
    ) -> None:
        self.given_up = False
        self._loop = loop
        self._enter = enter
        self._come_back = come_back
        self._posted: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="scoring", daemon=True)
        self._thread.start()

    def post(self, jobs: list[Job] | None) -> None:
        """Hands it jobs to run; None ends it."""
        self._posted.put(jobs)

    def interrupt(self) -> None:
        """Raises TimeLimit in the call that runs, as soon as that is back from C code."""
        ident = self._thread.ident
        assert ident is not None
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(TimeLimit))

    def _work(self) -> None:
        self._enter()
        while self._work_once():
            pass

    def _work_once(self) -> bool:
        """Runs what is posted next; False where there will be no more."""
        try:
            jobs = self._posted.get()
            if jobs is None:
                return False
            started = perf_counter()
            outcomes = execute(jobs)
            ended = perf_counter()
            self._loop.call_soon_threadsafe(self._come_back, self, jobs, outcomes, started, ended)
        except TimeLimit:  # it came too late, outside the model
            pass
        except RuntimeError:  # the loop is closed: the worker ends
            return False
        return not self.given_up
