"""Events as JSON lines: the public form of `schemas/events.json` (made from `shapes/events.py`).

The first line tells the version of the format; every line after it is one event, numbered and timed.
"""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TextIO

import mlplan
from mlplan import events
from mlplan.address import Address
from mlplan.diagnostics import Diagnostic
from mlplan.events import Event
from mlplan.views.apply_text import next_steps
from mlplan.views.diagnostics_json import diagnostics_json
from mlplan.views.progress import PLAIN_CALL, Call, Progress, by_outcome

FORMAT_VERSION = "1.0"

TYPES: Mapping[str, Any] = {
    re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower(): cls
    for cls in (
        events.ApplyStarted,
        events.ChangeStarted,
        events.StageReached,
        events.OutputLine,
        events.ProgressMade,
        events.ChangeFinished,
        events.StateSaved,
        events.DiagnosticRaised,
        events.ApplyFinished,
    )
}
"""The classes of events by the `type` that stands in their JSON form: `change_started`."""
_NAMES = {cls: name for name, cls in TYPES.items()}


class JsonLinesView:
    """Writes each event as a line of JSON as it comes. Takes events from any thread.

    `now` tells the time as UTC in ISO 8601.
    """

    def __init__(self, stream: TextIO, *, now: Callable[[], str], call: Call = PLAIN_CALL) -> None:
        self._stream = stream
        self._now = now
        self._sequence = 0
        self._progress = Progress(call)
        self._lock = threading.Lock()

    def __enter__(self) -> JsonLinesView:
        self._write({"type": "version", "format_version": FORMAT_VERSION, "mlplan_version": mlplan.__version__})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.flush()

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._sequence += 1
            self._progress.take(event, 0.0)
            summary = _summary(self._progress) if isinstance(event, events.ApplyFinished) else {}
            self._write({"sequence": self._sequence, "time": self._now(), **event_to_json(event), **summary})

    def _write(self, value: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
        self._stream.flush()


def _summary(progress: Progress) -> dict[str, Any]:
    """What the last line says beside its event: which changes ended how, and commands that make sense now."""
    groups = by_outcome(progress.finished)
    addresses = {outcome: sorted(str(event.address) for event in groups[outcome]) for outcome in sorted(groups)}
    return {"changes": addresses, "next": [command for command, _ in next_steps(progress)]}


def event_to_json(event: Event) -> dict[str, Any]:
    """An event as a JSON object, `type` first."""
    values = {field.name: _plain(getattr(event, field.name)) for field in dataclasses.fields(event)}
    return {"type": _NAMES[type(event)], **values}


def _plain(value: Any) -> Any:
    if isinstance(value, Address):
        return str(value)
    if isinstance(value, Diagnostic):
        return diagnostics_json([value])[0]
    if isinstance(value, Mapping):
        return {str(name): _plain(value[name]) for name in sorted(value)}
    return [_plain(item) for item in value] if isinstance(value, (tuple, list)) else value
