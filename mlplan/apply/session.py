"""The log under a lease, as one apply uses it from several threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from mlplan.events import StateSaved

if TYPE_CHECKING:
    from mlplan.events import Emit
    from mlplan.state.entries import Entry
    from mlplan.state.records import State
    from mlplan.workspace.protocols import Log


class Session:
    """The state as this apply knows it; `commit` moves it on, one commit at a time."""

    def __init__(self, log: Log, state: State, command: str, emit: Emit) -> None:
        self._log = log
        self._state = state
        self._command = command
        self._emit = emit
        self._lock = threading.Lock()

    @property
    def state(self) -> State:
        """The state after the newest commit."""
        return self._state

    def commit(self, entries: tuple[Entry, ...]) -> State:
        """Appends a commit and returns the state with it. Raises: Refusal where the lease is lost."""
        with self._lock:
            self._state = self._log.append(self._state, entries, command=self._command)
            saved = self._state
        self._emit(StateSaved(saved.serial))
        return saved
