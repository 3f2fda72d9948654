"""An apply as plain lines, for logs and pipes: one a fact, each beginning with the address it is about.

run.train: Running
run.train | epoch 1        (the script's own words)
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TextIO

from mlplan.events import (
    ApplyFinished,
    ApplyStarted,
    ChangeFinished,
    ChangeStarted,
    DiagnosticRaised,
    Event,
    OutputLine,
    ProgressMade,
    StageReached,
)
from mlplan.views.apply_text import diagnostic_lines, log_text, outcome_text, summary_lines
from mlplan.views.progress import PLAIN_CALL, Call, Progress
from mlplan.views.terminal import painted
from mlplan.views.values import counted, size_text

WORTH_A_LINE = 1_000_000
"""Of less than so many bytes, no progress is told."""


class PlainView:
    """Writes each event as it comes, from any thread."""

    def __init__(self, stream: TextIO, *, width: int = 100, colour: bool = False, call: Call = PLAIN_CALL) -> None:
        self._stream = stream
        self._width = width
        self._colour = colour
        self._progress = Progress(call)
        self._tenths: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> PlainView:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.flush()

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._progress.take(event, 0.0)
            self._stream.write(self._text(event))
            self._stream.flush()

    def _text(self, event: Event) -> str:
        """The event's lines, each with its line end; nothing for an event that says nothing new."""
        if isinstance(event, DiagnosticRaised):
            return painted(diagnostic_lines(event.diagnostic, self._width), colour=self._colour)
        if isinstance(event, ApplyFinished):
            return painted([(), *summary_lines(self._progress, self._width)], colour=self._colour)
        said = self._progress_text(event) if isinstance(event, ProgressMade) else plain_line(event)
        return f"{said}\n" if said else ""

    def _progress_text(self, event: ProgressMade) -> str:
        """One line for every tenth of the way (of an unknown way: for every doubling); none for a moment's work."""
        if event.total is not None and event.total < WORTH_A_LINE:
            return ""
        key = (str(event.address), event.what)
        mark = event.done * 10 // event.total if event.total else event.done.bit_length()
        if self._tenths.get(key, 0) >= mark:
            return ""
        self._tenths[key] = mark
        return progress_line(event)


def plain_line(event: Event) -> str:
    """An event as one line; empty for those that say nothing to a reader of logs."""
    if isinstance(event, ApplyStarted):
        return f"apply {event.project}: {counted(event.changes, 'change')}"
    if isinstance(event, ChangeStarted):
        return f"{event.address}: {event.action}"
    if isinstance(event, StageReached):
        detail = f" ({log_text(event.detail)})" if event.detail else ""
        return f"{event.address}: {event.stage}{detail}"
    if isinstance(event, OutputLine):
        return f"{event.address} | {log_text(event.line)}".rstrip()
    if isinstance(event, ChangeFinished):
        return f"{event.address}: {outcome_text(event, timed=True)}"
    return ""


def progress_line(event: ProgressMade) -> str:
    """How far a long piece of work is."""
    what = f"{event.address}: {log_text(event.what)}"
    if not event.total:
        return f"{what} {size_text(event.done)}"
    share = event.done * 100 // event.total
    return f"{what} {share}% of {size_text(event.total)}"
