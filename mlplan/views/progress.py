"""An apply as far as it has come: events folded, with the times at which they came. The live view draws this."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from mlplan.address import Address
from mlplan.diagnostics import Diagnostic
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
    StateSaved,
)

TAIL = 50
"""How many of a script's last lines are held: more than any terminal shows of them."""


@dataclass
class Transfer:
    """A long piece of work on bytes."""

    since: float  # seconds on the clock of whoever folds
    first: int  # bytes that were done then: a resumed download doesn't begin at 0
    done: int
    total: int | None

    def rate(self, now: float) -> float | None:
        """Bytes a second since it was first heard of; None before there is something to tell from."""
        elapsed = now - self.since
        return (self.done - self.first) / elapsed if elapsed > 0 and self.done > self.first else None


@dataclass
class Work:
    """One change that is being made."""

    address: Address
    action: str
    since: float
    stage: str = ""
    detail: str = ""
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))
    transfers: dict[str, Transfer] = field(default_factory=dict)


class Call(NamedTuple):
    """How mlplan was called, so that what is told to be typed next works as it stands."""

    words: str = "mlplan"  # up to the command: `mlplan -C demo`
    requests: Mapping[Address, str] = MappingProxyType({})  # a file with a request, by service
    replace: tuple[str, ...] = ()  # the addresses that were to be made anew


PLAIN_CALL = Call()


@dataclass
class Progress:
    """All of it so far."""

    call: Call = PLAIN_CALL
    started: ApplyStarted | None = None
    running: dict[Address, Work] = field(default_factory=dict)
    finished: list[ChangeFinished] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    serial: int = 0
    ended: ApplyFinished | None = None

    @property
    def command(self) -> str:
        """The command that makes these changes, or what is left of them: what was made anew isn't asked for again."""
        made = {str(event.address) for event in self.finished if event.outcome == "done"}
        again = [f" --replace {address}" for address in self.call.replace if address not in made]
        return (self.started.command if self.started else f"{self.call.words} apply") + "".join(again)

    @property
    def to_come(self) -> int:
        """How many changes have not begun."""
        return max(0, (self.started.changes if self.started else 0) - len(self.running) - len(self.finished))

    def take(self, event: Event, now: float) -> None:
        """Takes one event in, which came at `now` (seconds, on any steady clock)."""
        if isinstance(event, ApplyStarted):
            self.started, self.serial = event, event.serial
        elif isinstance(event, ChangeStarted):
            self.running[event.address] = Work(event.address, event.action, now)
        elif isinstance(event, ChangeFinished):
            self.running.pop(event.address, None)
            self.finished.append(event)
        elif isinstance(event, (StageReached, OutputLine, ProgressMade)):
            self._work(event, now)
        elif isinstance(event, StateSaved):
            self.serial = event.serial
        elif isinstance(event, DiagnosticRaised):
            self.diagnostics.append(event.diagnostic)
        else:
            self.ended = event
            self.running.clear()

    def _work(self, event: StageReached | OutputLine | ProgressMade, now: float) -> None:
        """What is told of a change that was announced; of others (an earlier apply's) nothing is drawn."""
        work = self.running.get(event.address)
        if work is None:
            return
        if isinstance(event, StageReached):
            work.stage, work.detail = event.stage, event.detail
            work.transfers.clear()
        elif isinstance(event, OutputLine):
            work.tail.append(event.line)
        elif event.total is not None and event.done >= event.total:
            work.transfers.pop(event.what, None)
        elif (transfer := work.transfers.get(event.what)) is not None:
            transfer.done, transfer.total = event.done, event.total
        else:
            work.transfers[event.what] = Transfer(now, event.done, event.done, event.total)


def by_outcome(finished: list[ChangeFinished]) -> Mapping[str, list[ChangeFinished]]:
    """The changes that ended, by how."""
    groups: dict[str, list[ChangeFinished]] = {}
    for event in finished:
        groups.setdefault(event.outcome, []).append(event)
    return groups
