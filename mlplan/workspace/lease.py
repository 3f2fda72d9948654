"""The lease: only one process at a time may have effects on the world.

Taking it is a commit, so of many that try one succeeds; so is giving it back. While it is held, a thread rewrites
`lease/<id>.json` every few seconds. A lease whose holder is known to be gone can be taken at once; one that showed no
life for `expiry_s`, after a last look. What an old holder does then is refused by the log (fencing), and so is
what it records.

Ages are told by the store's clock, and nobody trusts a single look: before a silent lease is taken, the taker watches
it for two beats by its own steady clock. So a clock that jumps takes no lease from a holder that lives.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from mlplan.codes import state as codes
from mlplan.errors import ExitCode, Refusal
from mlplan.json_types import Json
from mlplan.state.entries import Created, Entry, LeaseReleased, LeaseTaken
from mlplan.state.records import Lease, State
from mlplan.workspace.log import lost, moved
from mlplan.workspace.process import is_running, this_process
from mlplan.workspace.protocols import Holder

if TYPE_CHECKING:
    from threading import Event, Thread

    from mlplan.workspace.log import WorkspaceLog
    from mlplan.workspace.store import Store


class Pace(NamedTuple):
    """How often life is shown, and what silence means. In seconds."""

    beat_s: float = 3.0
    expiry_s: float = 30.0
    poll_s: float = 0.25  # how often one who waits looks again
    checkpoint_from: int = 10  # commits since the last checkpoint that are worth one when the lease is given back


class Clock(NamedTuple):
    """Steady time and sleeping, as they can be told in a test."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class _Watch(NamedTuple):
    """A sign of life that is looked at again and again."""

    id: str  # of the lease
    beat: bytes | None
    since: float  # by the steady clock


class WorkspaceLease:
    """The one lease of a workspace, as this process sees it."""

    def __init__(
        self,
        store: Store,
        log: WorkspaceLog,
        *,
        project: str,
        pace: Pace | None = None,
        clock: Clock | None = None,
        identity: Callable[[str], dict[str, Json]] = this_process,
        running: Callable[[Mapping[str, Json]], bool | None] = is_running,
    ) -> None:
        from threading import Lock

        self._store = store
        self._log = log
        self._project = project
        self._pace = pace or Pace()
        self._clock = clock or Clock()
        self._identity = identity
        self._running = running
        self._stop: Event | None = None
        self._threads: list[Thread] = []
        self._shown = 0.0  # when this process last showed life, by the steady clock
        self._losing = Lock()
        self._on_lost: Callable[[], None] = lambda: None

    def take(
        self,
        *,
        command: str,
        wait_s: float = 0.0,
        on_wait: Callable[[Holder], None] = lambda holder: None,
        on_lost: Callable[[], None] = lambda: None,
        stopped: Callable[[], bool] = lambda: False,
        heartbeat: bool = True,
    ) -> State:
        """The state under which this process may have effects, from now until `release`.

        Waits up to `wait_s` for another holder, unless it is `stopped`, and calls `on_wait` with each one it waits
        for. `on_lost` is called once, from a thread, when the lease can't be kept: then effects are to be stopped.
        Raises: Refusal MLP4101 (exit code 6), which names the holder; the same with exit code 130 where it was
        stopped; MLP4006 where the workspace was moved away; and what `Log.read` raises.
        """
        deadline = self._clock.now() + wait_s
        watch: _Watch | None = None
        told = ""
        while True:
            state = self._log.read()
            if state.moved:
                raise moved(state)
            expired, watch = self._watch(state.lease, watch)
            if state.lease is None or (watch is None and expired):
                taken = self._try(state, command)
                if taken is None:
                    continue
                self._log.lost, self._on_lost = None, on_lost
                if heartbeat:
                    self._start()
                return taken
            holder = self._describe(state.lease)
            if self._clock.now() >= deadline and not expired:
                raise _busy(holder, command, ExitCode.BUSY)
            if stopped():
                raise _busy(holder, command, ExitCode.INTERRUPTED)
            if told != holder.id:
                told = holder.id
                on_wait(holder)
            self._clock.sleep(self._pace.poll_s)

    def release(self, *, command: str = "") -> None:
        """Gives the lease back. Fine where none is held, or it was lost; and where the workspace can't be written any
        more: whatever ended the work has been told, and the lease ends by itself with this process."""
        self._end_threads()
        held, self._log.holding = self._log.holding, ""
        if not held or self._log.lost is not None:
            return
        with suppress(Refusal):
            state = self._log.read()
            while state.lease is not None and state.lease.id == held:
                after = self._log.append_if(state, [LeaseReleased(held)], command=command or _command_of(state.lease))
                state = after or self._log.read()
            self._store.delete(_beat_name(held))
            self._log.keep_checkpoint(at_least=self._pace.checkpoint_from)

    @contextmanager
    def held(self, *, command: str, wait_s: float = 0.0) -> Iterator[State]:
        """`take` and `release` around a block."""
        state = self.take(command=command, wait_s=wait_s)
        try:
            yield state
        finally:
            self.release(command=command)

    def ensure(self) -> None:
        """Raises: Refusal MLP4102 where this process may have no more effects. Asks the log: for right before an
        effect, since any time may have passed since the commit that announced it."""
        if self._log.lost is None:
            state = self._log.read()
            if state.lease is None or state.lease.id != self._log.holding:
                self._lose(lost(state))
        if self._log.lost is not None:
            raise self._log.lost

    def holder(self) -> Holder | None:
        """Who holds the lease now, or None."""
        lease = self._log.read().lease
        return None if lease is None else self._describe(lease)

    def break_(self, holder: Holder, *, command: str) -> bool:
        """Ends another one's lease: `mlplan unlock`. False where that one holds it no more."""
        state = self._log.read()
        while state.lease is not None and state.lease.id == holder.id:
            if self._log.append_if(state, [LeaseReleased(holder.id)], command=command) is not None:
                self._store.delete(_beat_name(holder.id))
                return True
            state = self._log.read()
        return False

    def beat(self) -> None:
        """Shows life once; what the thread does every few seconds.

        After a silence so long that another may have taken the lease, the log is asked first. Calls `on_lost` where
        it was lost, or where the store hasn't been reached for so long that others may take it soon.
        """
        held = self._log.holding
        if not held or self._log.lost is not None:
            return
        silent_s = self._clock.now() - self._shown
        try:
            if silent_s > self._pace.expiry_s / 2:
                state = self._log.read()
                if state.lease is None or state.lease.id != held:
                    self._lose(lost(state))
                    return
            self._show_life(held)
        except Refusal as refusal:
            if silent_s > self._pace.expiry_s / 2:
                self._lose(refusal)

    def _try(self, state: State, command: str) -> State | None:
        id_ = os.urandom(8).hex()
        holder = self._identity(command)
        entries: list[Entry] = [LeaseTaken(id_, holder)]
        if not state.serial:
            entries.insert(0, Created(os.urandom(16).hex(), self._project))
        self._show_life(id_)  # first, so that no lease is ever without a sign of life
        taken = self._log.append_if(state, entries, command=command)
        if taken is None:
            self._store.delete(_beat_name(id_))
            return None
        self._log.holding = id_
        if state.lease is not None:
            self._store.delete(_beat_name(state.lease.id))
        return taken

    def _show_life(self, id_: str) -> None:
        before = self._clock.now()
        self._store.replace(_beat_name(id_), json.dumps({"beat": os.urandom(8).hex()}).encode())
        self._shown = before

    def _watch(self, lease: Lease | None, watch: _Watch | None) -> tuple[bool, _Watch | None]:
        """Whether a lease looks as if its holder were gone, and the watch that goes on until that is sure.

        (True, None): it can be taken. (True, watch): it is silent beyond its time by the store's clock, but has not
        been watched for long enough. (False, watch): its holder lives, as far as can be told.
        """
        if lease is None or self._running(lease.holder) is False:
            return lease is not None, None
        now, beat = self._clock.now(), self._store.get(_beat_name(lease.id))
        if watch is None or (watch.id, watch.beat) != (lease.id, beat):
            watch = _Watch(lease.id, beat, now)
        silent_s = now - watch.since
        expired = self._age(lease) > self._pace.expiry_s
        if silent_s > self._pace.expiry_s or (expired and silent_s >= 2 * self._pace.beat_s):
            return True, None
        return expired, watch

    def _age(self, lease: Lease) -> float:
        """Seconds since the holder showed life."""
        shown = self._store.head(_beat_name(lease.id)) or self._store.head(f"log/{lease.serial:020d}.json")
        return float("inf") if shown is None else shown.age_s

    def _describe(self, lease: Lease) -> Holder:
        known = lease.holder
        text = f"{known.get('who', '?')}, pid {known.get('pid', '?')}, `{_command_of(lease)}`, since {lease.taken}"
        if known.get("ci"):
            text += f", {known['ci']}"
        return Holder(lease.id, text, self._running(known), max(self._age(lease), 0.0))

    def _lose(self, refusal: Refusal) -> None:
        with self._losing:
            if self._log.lost is not None:
                return
            self._log.lost = refusal
        self._on_lost()

    def _start(self) -> None:
        from threading import Event, Thread

        self._stop = stop = Event()
        self._threads = [
            Thread(target=work, args=(stop,), name="mlplan-lease", daemon=True)
            for work in (self._keep_beating, self._keep_watch)
        ]
        for thread in self._threads:
            thread.start()

    def _keep_beating(self, stop: Event) -> None:
        while not stop.wait(self._pace.beat_s):
            self.beat()

    def _keep_watch(self, stop: Event) -> None:
        """Loses the lease where no sign of life got through for half of its length: a store that doesn't answer can
        hold up a beat for minutes. It counts looks, not time: a machine that slept asks first what became of it."""
        seen, looks = self._shown, 0
        while not stop.wait(self._pace.beat_s):
            looks = looks + 1 if self._shown == seen else 0
            seen = self._shown
            if looks * self._pace.beat_s > self._pace.expiry_s / 2:
                detail = (
                    f"{self._store} wasn't reached for {looks * self._pace.beat_s:.0f} s. Nothing more was begun."
                )
                hint = "once it can be reached, go on with:\n\n    mlplan apply"
                self._lose(Refusal([codes.MLP4102.diagnostic(detail, hint=hint)], ExitCode.BUSY))
                return

    def _end_threads(self) -> None:
        """Ends them. One that waits for a store that doesn't answer is left to it once the lease is lost."""
        if self._stop is not None:
            self._stop.set()
            for thread in self._threads:
                thread.join(timeout=None if self._log.lost is None else 0.1)
            self._stop, self._threads = None, []


def _busy(holder: Holder, command: str, code: ExitCode) -> Refusal:
    life = {True: "It is running.", False: "It is gone.", None: "From here it can't be told whether it still runs."}
    detail = (
        f"{holder.description} holds the workspace, and showed life {holder.age_s:.0f} s ago. {life[holder.alive]}"
    )
    hint = f"wait for it (with `--lock-timeout 10m`, apply and destroy wait by themselves), then:\n\n    {command}"
    return Refusal([codes.MLP4101.diagnostic(detail, hint=hint)], code)


def _beat_name(id_: str) -> str:
    return f"lease/{id_}.json"


def _command_of(lease: Lease) -> str:
    return str(lease.holder.get("command", ""))
