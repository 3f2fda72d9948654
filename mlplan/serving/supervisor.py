"""One process without user code: it starts workers, replaces dead ones, and hands the port to a successor.

Standard library alone, no event loop, no NumPy: it is small and starts in milliseconds. One `select` waits for the
control socket, the workers' channels and signals.

    starting -> ready -> live -> draining -> (end)
        \\-> failed -> (end, exit code 3)
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
from time import monotonic
from typing import Any, Callable

from . import EXIT_FAILED, GAVE_UP, control, logs
from .control import Channel, Message
from .metrics import LAYOUT, Shared
from .settings import Config
from .threads import worker_threads
from .worker_process import WorkerProcess, start_worker

_TICK_S = 0.25
_FIRST_BACKOFF_S = 0.1
_MAX_BACKOFF_S = 10.0
_STEADY_S = 30.0  # a worker that lived so long starts again with a clean record
_MAX_DEATHS = 5  # in a row, none of them steady: a crash loop
_FAILED_LINGER_S = 3.0  # how long a failed supervisor still answers `status`
_STUCK_S = 10.0  # after the time limit, how long an event loop may give no sign of life
_BACKLOG = 2048
_SUCCESSOR_S = 30.0
_END_S = 2.0  # after the grace, until workers are killed


class Supervisor:
    """Runs one generation of a service."""

    def __init__(self, config: Config, config_path: str, *, live: bool) -> None:
        self._config = config
        self._config_path = config_path
        self._live_at_once = live
        self._phase = "starting"
        self._error = ""
        self._restarts = 0
        self._started = monotonic()
        self._selector = selectors.DefaultSelector()
        self._shared = Shared.create(config.workers)
        self._workers: list[WorkerProcess | None] = [None] * config.workers
        self._deaths = [0] * config.workers
        self._due: dict[int, float] = {}  # when a dead worker's place is filled again
        self._public: socket.socket | None = None
        self._listening = False  # whether the public socket is listened on
        self._going_live: _GoLive | None = None
        self._heirs: list[Channel] = []  # successors that have the listening socket
        self._end_at: float | None = None
        self._exit_code = 0
        self._private = _bind("127.0.0.1", 0)
        self._private.listen(_BACKLOG)
        self._control: socket.socket | None = None

    def run(self) -> int:
        """Supervises to the end; the exit code."""
        self._watch_signals()
        if self._config.control is not None:
            self._control = control.listen(self._config.control)
            self._watch(self._control, self._accept_control)
        try:
            self._public = _bind(self._config.host, self._config.port)
        except OSError as error:
            self._error = f"{self._config.host}:{self._config.port}: {error.strerror}"
            if self._live_at_once:
                _log(self._error)
                return EXIT_FAILED
        try:
            for index in range(self._config.workers):
                self._start(index)
            while not self._is_over():
                for key, _ in self._selector.select(_TICK_S):
                    key.data()
                self._tick()
        finally:
            self._clean_up()
        return self._exit_code

    # --- what every turn looks at

    def _tick(self) -> None:
        now = monotonic()
        for index, when in list(self._due.items()):
            if now >= when and self._phase not in ("draining", "failed"):
                del self._due[index]
                self._start(index)
        for index, worker in enumerate(self._workers):
            if worker is not None:
                self._check(index, worker, now)
        if self._end_at is not None and now > self._end_at:
            for worker in self._workers:
                if worker is not None:
                    worker.kill()

    def _check(self, index: int, worker: WorkerProcess, now: float) -> None:
        """Ends what a worker can't end itself: a call that holds its event loop, or a memory over its limit."""
        cells = self._shared.slices[index]
        heartbeat, busy_since = cells[LAYOUT.heartbeat], cells[LAYOUT.busy_since]
        limit_s = self._config.settings.timeout_s
        if heartbeat and now - heartbeat > limit_s + _STUCK_S:
            worker.kill(f"worker {worker.pid}: its event loop is held by a call that doesn't end")
        elif busy_since and now - busy_since > limit_s:
            worker.interrupt()
        if self._config.memory_bytes is not None and worker.resident_bytes() > self._config.memory_bytes:
            worker.kill(f"worker {worker.pid} has more than its {self._config.memory_bytes} bytes of memory")

    def _is_over(self) -> bool:
        ended = all(worker is None for worker in self._workers)
        if self._phase == "draining":
            return ended
        if self._phase == "failed":
            assert self._end_at is not None
            return ended and monotonic() > self._end_at
        return False

    # --- workers

    def _start(self, index: int) -> None:
        self._shared.clear_gauges(index)
        worker = start_worker(
            self._config, self._config_path, index, self._private.fileno(), self._shared.descriptor,
            worker_threads(self._config),
        )  # fmt: skip
        self._workers[index] = worker
        self._watch(worker.channel.connection, lambda: self._hear(index, worker))

    def _hear(self, index: int, worker: WorkerProcess) -> None:
        messages = worker.channel.read()
        if messages is None:
            self._forget(worker.channel)
            return
        for message, _ in messages:
            event = message.get("event")
            if event == "ready":
                self._is_ready(worker)
            elif event == "listening":
                worker.is_public = True
                self._go_live_if_all_listen()
            elif event == "failed":
                worker.error = str(message.get("error"))
            elif event == "worn":
                _log(f"worker {worker.pid} is replaced: {message.get('reason')}")
                self._deaths[index] = 0
                self._drain_worker(worker, 0.0, 10.0)

    def _is_ready(self, worker: WorkerProcess) -> None:
        worker.is_ready = True
        if self._listening:
            self._share_public(worker)
        if self._phase == "starting" and all(w is not None and w.is_ready for w in self._workers):
            self._phase = "ready"
            _log(f"ready on {self._candidate_url()}")
            if self._live_at_once:
                self._go_live_at_once()

    def _reap(self) -> None:
        """Takes note of every process that has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for index, worker in enumerate(self._workers):
                if worker is not None and worker.pid == pid:
                    self._buried(index, worker, os.waitstatus_to_exitcode(status))

    def _buried(self, index: int, worker: WorkerProcess, exit_code: int) -> None:
        with contextlib.suppress(OSError, ValueError):  # its last words
            self._hear(index, worker)
        self._forget(worker.channel)
        self._workers[index] = None
        self._shared.clear_gauges(index)
        if self._phase in ("draining", "failed"):
            return
        steady = monotonic() - worker.started > _STEADY_S
        self._deaths[index] = 1 if steady else self._deaths[index] + 1
        how = f"worker {worker.pid} ended with exit code {exit_code}"
        _log(how)
        if self._phase == "starting":
            self._fail(worker.error or how)
        elif self._deaths[index] >= _MAX_DEATHS:
            self._fail(f"{self._deaths[index]} workers ended one after the other; the last: {worker.error or how}")
        else:
            self._restarts += 1
            self._shared.slices[index][LAYOUT.restarts] += 1
            pause_s = min(_FIRST_BACKOFF_S * 2 ** (self._deaths[index] - 1), _MAX_BACKOFF_S)
            self._due[index] = monotonic() + pause_s

    def _fail(self, error: str) -> None:
        self._phase = "failed"
        self._error = error
        self._exit_code = EXIT_FAILED
        logs.say(f"{GAVE_UP}{error.splitlines()[-1]}")
        self._end_at = monotonic() + _FAILED_LINGER_S
        if self._going_live is not None:
            self._answer(self._going_live.channel, {"error": error})
        if self._public is not None:
            self._public.close()
            self._public = None
        for worker in self._workers:
            if worker is not None:
                worker.kill()

    def _drain_worker(self, worker: WorkerProcess, idle_s: float, grace_s: float) -> None:
        with contextlib.suppress(OSError):
            worker.channel.send({"do": "drain", "idle_s": idle_s, "grace_s": grace_s})

    # --- the control socket

    def _accept_control(self) -> None:
        assert self._control is not None
        with contextlib.suppress(BlockingIOError):
            connection, _ = self._control.accept()
            connection.setblocking(False)
            channel = Channel(connection)
            self._watch(connection, lambda: self._obey(channel))

    def _obey(self, channel: Channel) -> None:
        """Does what a control message says."""
        try:
            messages = channel.read()
        except ValueError as error:
            self._answer(channel, {"error": str(error)})
            messages = None
        if messages is None:
            self._forget(channel)
            return
        for message, _ in messages:
            try:
                self._do(channel, message)
            except (TypeError, ValueError) as error:
                self._answer(channel, {"error": f"{message!r}: {error}"})

    def _do(self, channel: Channel, message: Message) -> None:
        what = message.get("do")
        if what == "status":
            self._answer(channel, self._status())
            if self._phase == "failed":  # somebody knows
                self._end_at = monotonic()
        elif what == "go-live":
            self._go_live(channel, message.get("from"))
        elif what == "hand-over":
            self._hand_over(channel)
        elif what == "retire":
            self._retire(channel)
        elif what == "stop":
            self.stop(float(message.get("grace_s", 10.0)))
            self._answer(channel, {"phase": self._phase})
        else:
            self._answer(channel, {"error": f"unknown: {what!r}"})

    def _answer(self, channel: Channel, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        with contextlib.suppress(OSError):
            channel.send(message, descriptors)

    def _status(self) -> Message:
        return {
            "pid": os.getpid(),
            "phase": self._phase,
            "candidate_url": self._candidate_url(),
            "key": self._config.key,
            "digest": self._config.digest,
            "workers": [worker.pid for worker in self._workers if worker is not None],
            "uptime_s": round(monotonic() - self._started, 3),
            "restarts": self._restarts,
            "error": self._error,
            "bound": self._public is not None,
            "metrics": self._shared.summary(),
        }

    def _candidate_url(self) -> str:
        return f"http://127.0.0.1:{self._private.getsockname()[1]}"

    # --- going live, and making room for a successor

    def _go_live(self, channel: Channel, predecessor: Any) -> None:
        if self._phase == "live":
            self._answer(channel, {"phase": "live"})
            return
        if self._phase != "ready" or self._going_live is not None:
            self._answer(channel, {"error": f"it can't go live: its phase is {self._phase}"})
            return
        old: Channel | None = None
        try:
            if predecessor is not None:
                old = control.connect(str(predecessor), _SUCCESSOR_S)
                self._take_over(old)
            elif self._public is None:
                self._public = _bind(self._config.host, self._config.port)
            self._listen_in_public()
        except (OSError, ValueError) as error:
            if old is not None:
                old.close()
            self._answer(channel, {"error": f"{self._config.host}:{self._config.port}: {error}"})
            return
        self._going_live = _GoLive(channel, old)

    def _go_live_at_once(self) -> None:
        try:
            self._listen_in_public()
        except OSError as error:
            self._fail(f"{self._config.host}:{self._config.port}: {error.strerror}")

    def _take_over(self, old: Channel) -> None:
        """Gets the listening socket of the generation before, which goes on accepting until it is told to retire."""
        old.send({"do": "hand-over"})
        answer, descriptors = old.next()
        if not descriptors:
            raise ValueError(str(answer.get("error", "no socket came over")))
        taken = socket.socket(fileno=descriptors[0])
        place = taken.getsockname()[:2]
        if place[1] != self._config.port:
            taken.close()
            raise ValueError(f"the generation before listens on {place[0]}:{place[1]}")
        if self._public is not None:
            self._public.close()
        self._public = taken

    def _listen_in_public(self) -> None:
        """Raises: OSError where somebody else, who had bound the port as well, listens on it by now."""
        assert self._public is not None
        try:
            self._public.listen(_BACKLOG)
        except OSError:
            self._public.close()
            self._public = None
            raise
        self._listening = True
        for worker in self._workers:
            if worker is not None and worker.is_ready:
                self._share_public(worker)

    def _share_public(self, worker: WorkerProcess) -> None:
        assert self._public is not None
        with contextlib.suppress(OSError):
            worker.channel.send({"do": "listen"}, (self._public.fileno(),))

    def _go_live_if_all_listen(self) -> None:
        if self._phase != "ready" or not all(w is not None and w.is_public for w in self._workers):
            return
        self._phase = "live"
        self._error = ""
        _log(f"live on {self._config.host}:{self._config.port}")
        waiting, self._going_live = self._going_live, None
        if waiting is not None:
            if waiting.old is not None:
                self._answer(waiting.old, {"do": "retire"})
                waiting.old.close()
            self._answer(waiting.channel, {"phase": "live"})

    def _hand_over(self, channel: Channel) -> None:
        if self._phase != "live" or self._public is None:
            self._answer(channel, {"error": f"there is nothing to hand over: its phase is {self._phase}"})
            return
        self._answer(channel, {"phase": self._phase}, (self._public.fileno(),))
        self._heirs.append(channel)

    def _retire(self, channel: Channel) -> None:
        if channel in self._heirs:
            self._drain(self._config.settings.drain_s, self._config.settings.timeout_s)

    def stop(self, grace_s: float) -> None:
        """Ends the service: who is being answered gets that answer, within the grace."""
        self._drain(0.0, grace_s)

    def _drain(self, idle_s: float, grace_s: float) -> None:
        if self._phase in ("draining", "failed"):
            return
        self._phase = "draining"
        _log("draining")
        if self._public is not None:
            self._public.close()
            self._public = None
        self._end_at = monotonic() + grace_s + _END_S
        for worker in self._workers:
            if worker is None:
                continue
            if worker.is_ready:
                self._drain_worker(worker, idle_s, grace_s)
            else:
                worker.kill()

    # --- the edges

    def _watch(self, source: Any, callback: Callable[[], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, callback)

    def _forget(self, channel: Channel) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(channel.connection)
        if channel in self._heirs:
            self._heirs.remove(channel)
        channel.close()

    def _watch_signals(self) -> None:
        reading, writing = socket.socketpair()
        reading.setblocking(False)
        writing.setblocking(False)
        signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)

        def read() -> None:
            arrived = reading.recv(4096)
            if signal.SIGTERM in arrived or signal.SIGINT in arrived:
                if self._phase == "draining":  # the second time: now
                    self._end_at = monotonic()
                self.stop(self._config.settings.timeout_s)
            self._reap()

        self._writing = writing
        self._watch(reading, read)

    def _clean_up(self) -> None:
        for worker in self._workers:
            if worker is not None:
                worker.kill()
        if self._control is not None and self._config.control is not None:
            self._control.close()
            with contextlib.suppress(OSError), control.reachable(self._config.control) as address:
                os.unlink(address)


class _GoLive:
    """A go-live that waits for the workers."""

    def __init__(self, channel: Channel, old: Channel | None) -> None:
        self.channel = channel
        self.old = old


def _bind(host: str, port: int) -> socket.socket:
    """A bound socket that doesn't listen yet. Raises: OSError where the address is taken or isn't ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def _log(text: str) -> None:
    logs.say(f"mlplan service: {text}")
