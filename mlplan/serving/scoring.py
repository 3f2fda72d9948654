"""Decides where and when the model runs: in the event loop, in a thread beside it, many requests at once or one.

A short call belongs in the loop, because a thread costs it a fifth and a long tail; a long one belongs beside it,
because probes and time limits wait for nobody. Which of the two a model has, its own calls show: `pace.py`.

What several clients have sent is first read, all of it, and then the model is asked, one request after the other: so
neither the parser's code nor the model's pushes the other out of the processor's caches, which is worth a tenth. For
a model that takes many rows they are stacked: what arrived while the last call ran, or within the same turn of the
event loop, is one call. Nobody waits for company: there is no timer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from time import monotonic, perf_counter
from typing import Callable

from .jobs import Job, Outcome, TimeLimit, awaited, execute
from .messages import Refused, Request, Response, error_response
from .metrics import LAYOUT, REASONS, observe
from .pace import Pace
from .scoring_thread import ScoringThread
from .settings import Settings

_STUCK_S = 5.0  # after its time limit, how long a call may take to give up before its thread is given up
_MAX_STUCK = 3
_TURN_S = 0.001  # for so long the model is asked in the event loop, then the network gets its turn

_TOOK = "The model took longer than {:g} s."
_WAITED = "The request waited longer than {:g} s for those before it."


class Dispatcher:
    """The one way to the model, for all requests of a worker."""

    def __init__(
        self,
        settings: Settings,
        cells: memoryview[float],
        enter_thread: Callable[[], None],
        report: Callable[[Request, BaseException], None],
        give_up: Callable[[str], None],
        *,
        quick: bool,
        overlaps: bool,
    ) -> None:
        self._settings = settings
        self._cells = cells
        self._enter_thread = enter_thread
        self._overlaps = overlaps  # calls of the model may run beside one another, whatever `concurrency` says
        self._report = report  # logs what the model raised
        self._give_up = give_up  # asks for a fresh worker
        self._loop = asyncio.get_event_loop()
        self._waiting: deque[Job] = deque()
        self._turn_is_due = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle_threads: list[ScoringThread] = []
        self._threads = 0
        self._stuck = 0
        self._pace = Pace(settings.dispatch, quick=quick)
        self._inline_since = 0.0

    def submit(self, job: Job) -> None:
        """Answers the job's request, now or later; at once with a 429 where too many wait."""
        if job.is_async:
            self._start_async(job)
            return
        # With one connection nobody else can come within this turn of the loop.
        alone = len(job.request.connection.door.connections) < 2
        if alone and not self._waiting and self._runs_here(job):
            self._run_inline([job])
            return
        if len(self._waiting) >= self._settings.max_queue:
            if not self._runs_here(self._waiting[0]):
                self._send_away(job)
                return
            self._turn()  # nobody is sent away from a model whose calls are that short
        job.queued = perf_counter()
        if not self._pace.inline:
            job.deadline = self._loop.call_later(self._settings.timeout_s, self._expire, job)
        self._waiting.append(job)
        self._take_turn()

    def over_time(self) -> bool:
        """Whether the call that runs in the event loop has passed its time limit."""
        return bool(self._inline_since) and perf_counter() - self._inline_since > self._settings.timeout_s

    def tick(self) -> None:
        """To be called about twice a second: what the machine's other work took before isn't a call's."""
        self._pace.tick()

    def stop(self) -> bool:
        """Ends the threads that do nothing; whether those are all."""
        for thread in self._idle_threads:
            thread.post(None)
        return len(self._idle_threads) == self._threads and not self._stuck

    def _send_away(self, job: Job) -> None:
        self._cells[LAYOUT.rejected + REASONS.index("queue")] += 1.0
        text = f"{self._settings.max_queue} requests wait already; try again later."
        job.request.answer(error_response(job.request, 429, text, ((b"retry-after", b"1"),)))

    # --- an async model, which shares the event loop by itself

    def _start_async(self, job: Job) -> None:
        if len(self._tasks) >= self._settings.max_queue:
            self._send_away(job)
            return
        task = self._loop.create_task(self._run_async(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_async(self, job: Job) -> None:
        started = perf_counter()
        try:
            outcome: Outcome = await asyncio.wait_for(awaited(job), self._settings.timeout_s)
        except BaseException as error:  # whatever the model raises, its client gets an answer
            is_late = isinstance(error, asyncio.TimeoutError) and perf_counter() - started >= self._settings.timeout_s
            outcome = TimeLimit() if is_late else error
        self._finish([job], [outcome], started, perf_counter())

    # --- turns

    def _runs_here(self, job: Job) -> bool:
        """Whether a job may run in the event loop now: a script's call in a thread counts as one at a time, too."""
        beside = self._threads - len(self._idle_threads)
        free = self._overlaps or beside < self._settings.concurrency
        return free and self._pace.is_inline(job.request.body)

    def _take_turn(self) -> None:
        if not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Starts what can be started."""
        self._turn_is_due = False
        until = perf_counter() + _TURN_S
        while self._waiting:
            head = self._waiting[0]
            if head.request.answered:  # its time was over
                self._waiting.popleft()
            elif self._runs_here(head):
                self._run_inline(self._take_batch())
                if self._waiting and perf_counter() > until:
                    self._take_turn()
                    return
            elif self._idle_threads or self._threads < self._settings.concurrency:
                self._run_beside(self._take_batch())
            else:
                return

    def _take_batch(self) -> list[Job]:
        first = self._waiting.popleft()
        jobs = [first]
        if first.stack is None:
            return jobs
        rows, limit = first.rows, self._settings.max_batch_rows
        while self._waiting:
            job = self._waiting[0]
            if job.stack is None or job.stack.key != first.stack.key or rows + job.rows > limit:
                break
            self._waiting.popleft()
            if not job.request.answered:
                jobs.append(job)
                rows += job.rows
        return jobs

    def _run_inline(self, jobs: list[Job]) -> None:
        started = self._inline_since = perf_counter()
        self._cells[LAYOUT.busy_since] = monotonic()
        try:
            outcomes = execute(jobs)
        except TimeLimit as limit:  # raised while the outcomes were put together
            outcomes = [limit for _ in jobs]
        finally:
            self._inline_since = 0.0
            self._cells[LAYOUT.busy_since] = 0.0
        self._finish(jobs, outcomes, started, perf_counter())

    def _run_beside(self, jobs: list[Job]) -> None:
        if self._idle_threads:
            thread = self._idle_threads.pop()
        else:
            thread = ScoringThread(self._loop, self._enter_thread, self._come_back)
            self._threads += 1
        for job in jobs:
            job.running_in = thread
            if job.deadline is None:  # it was queued while the model still ran in the loop
                job.deadline = self._loop.call_later(self._settings.timeout_s, self._expire, job)
        thread.post(jobs)

    def _come_back(
        self, thread: ScoringThread, jobs: list[Job], outcomes: list[Outcome], started: float, ended: float
    ) -> None:
        for job in jobs:
            job.running_in = None
        if not thread.given_up:
            self._idle_threads.append(thread)
        self._finish(jobs, outcomes, started, ended)
        if self._waiting:
            self._turn()

    def _finish(self, jobs: list[Job], outcomes: Sequence[Outcome], started: float, ended: float) -> None:
        cells = self._cells
        taken_s = ended - started
        observe(cells, LAYOUT.run, taken_s)
        rows = 0
        for job, outcome in zip(jobs, outcomes):
            rows += job.rows
            if job.queued:
                observe(cells, LAYOUT.queue, started - job.queued)
            if job.deadline is not None:
                job.deadline.cancel()
            request = job.request
            if isinstance(outcome, Response):
                if outcome.failed:
                    request.failed = True
                else:
                    request.exec_ms = taken_s * 1000.0
            else:
                outcome = self._failure(request, outcome)
            request.answer(outcome)
        observe(cells, LAYOUT.rows, float(rows))
        if self._pace.adaptive:
            self._pace.learn(taken_s, max(len(job.request.body) for job in jobs))

    def _failure(self, request: Request, error: BaseException) -> Response:
        if isinstance(error, Refused):
            return error_response(request, error.status, error.message, error.headers)
        request.failed = True
        if isinstance(error, TimeLimit):
            return self._too_late(request, _TOOK)
        self._report(request, error)
        return error_response(request, 500, "The model failed on this request; its log says why.")

    # --- time

    def _expire(self, job: Job) -> None:
        """Answers for a job whose time is over. If it runs, its thread is told to give up."""
        request = job.request
        if request.answered:
            return
        request.failed = True
        thread = job.running_in
        request.answer(self._too_late(request, _TOOK if thread is not None else _WAITED))
        if thread is not None:
            thread.interrupt()
            self._loop.call_later(_STUCK_S, self._replace, thread, job)

    def _too_late(self, request: Request, why: str) -> Response:
        self._cells[LAYOUT.rejected + REASONS.index("timeout")] += 1.0
        return error_response(request, 504, why.format(self._settings.timeout_s))

    def _replace(self, thread: ScoringThread, job: Job) -> None:
        """Goes on without a thread that didn't give up; too many of them, and the worker is to be replaced."""
        if job.running_in is not thread:
            return
        thread.given_up = True
        self._threads -= 1
        self._stuck += 1
        if self._stuck >= _MAX_STUCK:
            self._give_up(f"{self._stuck} calls of the model don't end")
        self._take_turn()
