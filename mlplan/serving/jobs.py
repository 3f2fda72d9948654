"""One request on its way through the model, as a value, and how its outcome comes about.

A job is what an entry script or an estimator makes of a request: what to call, and how to answer with what that
gives. Where and when it runs is decided in `scoring.py`.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, Union

from .messages import Request, Response

if TYPE_CHECKING:
    from .scoring_thread import ScoringThread

LARGE_BODY = 64 * 1024  # what takes so long to read that the event loop doesn't do it

Outcome = Union[Response, BaseException]


class TimeLimit(BaseException):
    """Raised inside a call of the model that took too long. No Exception, so that few scripts swallow it."""


class Job:
    """One request on its way through the model."""

    __slots__ = ("call", "deadline", "encode", "is_async", "queued", "request", "rows", "running_in", "stack")

    def __init__(
        self,
        request: Request,
        call: Callable[[], Any],
        encode: Callable[[Any], Response],
        stack: Stack | None = None,
        rows: int = 1,
        is_async: bool = False,
    ) -> None:
        self.request = request
        self.is_async = is_async  # the call gives an awaitable
        self.call = call  # what the model makes of the request
        self.encode = encode  # the answer, from that
        self.stack = stack  # how it goes together with others
        self.rows = rows
        self.queued = 0.0
        self.deadline: asyncio.TimerHandle | None = None
        self.running_in: ScoringThread | None = None


class Stack:
    """Jobs that may go together: those whose stacks are of one `key`. `run` gives a result for each, or raises."""

    __slots__ = ("data", "key", "run")

    def __init__(self, key: Any, data: Any, run: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        self.key = key
        self.data = data
        self.run = run


def reading_too(request: Request, make: Callable[[], Job]) -> Job:
    """A job that also reads its request, where it runs and within its time: what `make` refuses is its outcome."""

    def call() -> Response:
        collects = gc.isenabled()
        gc.disable()  # it would look at each of the body's many lists again and again
        try:
            read = make()
        finally:
            if collects:
                gc.enable()
        job.rows = read.rows
        return read.encode(read.call())

    job = Job(request, call, lambda response: response)
    return job


def execute(jobs: list[Job]) -> list[Outcome]:
    """The outcome of each job. Those that go together are one call; where that fails, each is called alone."""
    if len(jobs) > 1:
        first = jobs[0].stack
        assert first is not None
        try:
            results = first.run([job.stack.data for job in jobs if job.stack is not None])
            return [_encode(job, result) for job, result in zip(jobs, results)]
        except TimeLimit:
            raise
        except BaseException:  # whose fault it is shows when each is called alone
            pass
    return [_run_one(job) for job in jobs]


def _run_one(job: Job) -> Outcome:
    try:
        return job.encode(job.call())
    except (Exception, TimeLimit) as error:
        return error
    except BaseException as error:  # a call may end itself, not the worker
        return _exit_of(error)


def _encode(job: Job, result: Any) -> Outcome:
    try:
        return job.encode(result)
    except Exception as error:
        return error


async def awaited(job: Job) -> Response:
    """The answer of an async model. Raises: what the model raises, but nothing that ends the event loop."""
    try:
        return job.encode(await job.call())
    except (SystemExit, KeyboardInterrupt) as error:
        raise _exit_of(error) from None


def _exit_of(error: BaseException) -> RuntimeError:
    return RuntimeError(f"the model asked to exit: {error!r}").with_traceback(error.__traceback__)
