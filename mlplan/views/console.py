"""An apply on a terminal, live: what is being made stands in a region that is drawn anew, what ended scrolls off.

`frame` draws the region from the progress, as a pure function; rich keeps it in place.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from mlplan.events import ApplyFinished, ApplyStarted, ChangeFinished, DiagnosticRaised, Event
from mlplan.views import words
from mlplan.views.apply_text import OUTCOME_MARKS, diagnostic_lines, log_text, outcome_text, summary_lines
from mlplan.views.progress import PLAIN_CALL, Call, Progress, Transfer, Work
from mlplan.views.terminal import Line, clipped, line, spread, width_of
from mlplan.views.values import counted, duration_text, shortened, size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.text import Text

    from mlplan.address import Address

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
TURNS_PER_S = 10
MOST_TAIL = 8
"""How many of a script's last lines are shown at most."""
WIDEST = 110
ADDRESS_WIDTH = 28


class ConsoleView:
    """Draws an apply. Takes events from any thread.

    `addresses` are those of the changes to come, where they are known, so that the columns stand still.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        colour: bool,
        call: Call = PLAIN_CALL,
        addresses: Iterable[Address] = (),
        width: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(
            file=stream,
            width=width,
            force_terminal=True,
            color_system="standard" if colour else None,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )
        self._column = address_column(str(address) for address in addresses)
        self._clock = clock
        self._progress = Progress(call)
        self._lock = threading.RLock()
        self._live = Live(
            console=self._console, get_renderable=self._region, refresh_per_second=TURNS_PER_S, transient=True
        )

    def __enter__(self) -> ConsoleView:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._progress.take(event, self._clock())
            if isinstance(event, ApplyFinished):
                self._live.stop()
            rows = event_lines(event, self._progress, self._width, self._column)
            if rows:
                self._console.print(_as_text(rows), soft_wrap=True)  # nothing is cut: a command has to stay whole

    @property
    def _width(self) -> int:
        return min(self._console.width, WIDEST)

    def _region(self) -> Text:
        with self._lock:
            rows = frame(self._progress, self._clock(), self._width, self._console.height, self._column)
        return _as_text(rows)


def _as_text(rows: Sequence[Line]) -> Text:
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ellipsis")
    for index, row in enumerate(rows):
        text.append("\n" if index else "")
        for piece in row:
            text.append(piece.text, piece.style or None)
    return text


def address_column(addresses: Iterable[str]) -> int:
    """How wide the column of addresses is."""
    return min(max((len(address) for address in addresses), default=16), ADDRESS_WIDTH)


# -- what scrolls off ------------------------------------------------------------------------------------------------


def event_lines(event: Event, progress: Progress, width: int, column: int) -> list[Line]:
    """What an event leaves on the screen for good: the end of a change, a diagnostic, the summary."""
    if isinstance(event, ApplyStarted):
        count = counted(event.changes, "change")
        return [line(("Applying ", "bold"), (count, "bold"), (f" to {event.project}", "bold")), ()]
    if isinstance(event, ChangeFinished) and event.outcome != "not-started":
        return [_finished(event, width, column)]
    if isinstance(event, DiagnosticRaised):
        return diagnostic_lines(event.diagnostic, width)
    if isinstance(event, ApplyFinished):
        return [(), *summary_lines(progress, width)]
    return []


def _finished(event: ChangeFinished, width: int, column: int) -> Line:
    mark, style = OUTCOME_MARKS[event.outcome]
    address = str(event.address).ljust(column)
    said_style = style if event.outcome in ("failed", "canceled", "unknown", "dropped") else ""
    left = line("  ", (mark, style), " ", (address, "bold"), "  ", (outcome_text(event), said_style))
    return _timed(left, event.elapsed_s, width)


def _timed(left: Line, seconds: float, width: int) -> Line:
    """The line with a duration at its end."""
    right = line((duration_text(seconds), "dim"))
    return spread(clipped(left, width - width_of(right) - 2), right, width)


# -- the live region -------------------------------------------------------------------------------------------------


def frame(progress: Progress, now: float, width: int, height: int, column: int) -> list[Line]:
    """The region: each change that is being made, with its stage, its transfers and the end of its output.

    Never higher than `height` lines, the last of which stays free.
    """
    rows: list[Line] = []
    works = list(progress.running.values())
    transfers = sum(len(work.transfers) for work in works)
    spare = height - 3 - len(works) - transfers
    tail = max(0, min(MOST_TAIL, spare // max(len(works), 1)))
    for work in works:
        rows.append(_working(work, now, width, column))
        rows += [_transfer(what, transfer, now, width) for what, transfer in work.transfers.items()]
        rows += [clipped(line(("    │ ", "dim"), (log_text(text), "dim")), width) for text in _last(work, tail)]
    if progress.to_come:
        rows.append(line((f"    {progress.to_come} more to come", "dim")))
    return [*rows[: max(height - 2, 1)]]


def _last(work: Work, count: int) -> list[str]:
    return list(work.tail)[-count:] if count else []


def _working(work: Work, now: float, width: int, column: int) -> Line:
    spinner = SPINNER[int(now * TURNS_PER_S) % len(SPINNER)]
    detail = f" ({log_text(work.detail)})" if work.detail else ""
    address = str(work.address).ljust(column)
    said = work.stage or words.present_text(work.action)
    left = line("  ", (spinner, "cyan"), " ", (address, "bold"), "  ", (said, "cyan"), (detail, "dim"))
    return _timed(left, now - work.since, width)


def _transfer(what: str, transfer: Transfer, now: float, width: int) -> Line:
    """`download x.gz  ━━━━━━━━────  62% of 9.9 MB, 2.1 MB/s, 2 s left`."""
    rate = transfer.rate(now)
    facts = size_text(transfer.done)
    if transfer.total:
        facts = f"{transfer.done * 100 // transfer.total}% of {size_text(transfer.total)}"
    if rate:
        facts += f", {size_text(round(rate))}/s"
        if transfer.total:
            facts += f", {duration_text((transfer.total - transfer.done) / rate)} left"
    length = 20 if width >= 100 else 10
    full = round(length * transfer.done / transfer.total) if transfer.total else 0
    bar = [("━" * full, "green"), ("─" * (length - full), "dim"), ("  ", "")] if transfer.total else []
    room = width - 6 - sum(len(text) for text, _ in bar) - len(facts) - 2
    name = shortened(log_text(what), max(room, 12))
    return clipped(line("      ", f"{name}  ", *bar, (facts, "dim")), width)
