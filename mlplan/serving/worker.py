"""One process with the model: loads it, answers requests, ends when it is told to.

The supervisor started it and talks to it over a channel (`control.py`'s lines, without a path):

    from the supervisor   {"do": "listen"} with a descriptor    accept clients there too
                          {"do": "drain", "idle_s", "grace_s"}  accept nobody, answer who is there, end
    to the supervisor     {"event": "ready"}
                          {"event": "listening"}
                          {"event": "failed", "error": text}    it can't start
                          {"event": "worn", "reason": text}     it should be replaced

A worker whose supervisor is gone ends itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from time import monotonic
from typing import Any, NamedTuple

from . import json_text, logs, metrics
from .collect import NOT_KEPT, Collector
from .connection import Connection, Door
from .control import Channel, Message
from .jobs import TimeLimit, execute
from .loading import load
from .messages import Headers, Refused, Request, Response
from .scoring import Dispatcher
from .service import Service
from .settings import Config, read_config
from .traces import trace_of

OVER_TIME = signal.SIGUSR1
"""Sent by the supervisor to a worker whose event loop has been in one call of the model for too long."""

BACKLOG = 2048
_LAST_LINES = 30


class Inherited(NamedTuple):
    """What a worker gets from the supervisor that started it: its place and three descriptors."""

    place: int  # among the workers
    channel: int
    listener: int
    metrics: int


def main(config_path: str, inherited: Inherited) -> int:
    """Runs a worker to its end; its exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's
    _die_with_parent()
    channel = Channel(socket.socket(fileno=inherited.channel))
    config = read_config(config_path)
    shared = metrics.Shared(inherited.metrics, config.workers)
    cells = shared.slices[inherited.place]
    started = monotonic()
    try:
        model, collector = load(config, lambda: _add(cells, metrics.LAYOUT.dropped))
        warm_up(model, config.settings.sample)
    except BaseException as error:
        trace = trace_of(error)
        sys.stderr.write(f"{trace}\n")
        if isinstance(error, (Exception, SystemExit)):
            channel.send({"event": "failed", "error": _last_lines(trace)})
            return 3
        raise
    cells[metrics.LAYOUT.load_s] = monotonic() - started
    loop = _new_loop()
    worker = Worker(config, model, collector, channel, shared, inherited.place, loop)
    try:
        is_idle = loop.run_until_complete(worker.run(socket.socket(fileno=inherited.listener)))
    finally:
        loop.close()
        if collector is not None:
            collector.close()
    sys.stdout.flush()
    sys.stderr.flush()
    if not is_idle:
        os._exit(0)  # a call that doesn't end still runs in a thread
    return 0


class Worker:
    """A loaded model behind listening sockets."""

    def __init__(
        self,
        config: Config,
        model: Any,
        collector: Collector | None,
        channel: Channel,
        shared: metrics.Shared,
        index: int,
        loop: Any,
    ) -> None:
        from .auth import Keys

        self._config = config
        self._channel = channel
        self._loop = loop
        self._cells = shared.slices[index]
        self._servers: list[Any] = []
        self._ended: asyncio.Future[None] = loop.create_future()
        asyncio.set_event_loop(loop)
        dispatcher = Dispatcher(
            config.settings,
            self._cells,
            model.enter_thread,
            lambda request, error: service.report(request, error),
            lambda reason: channel.send({"event": "worn", "reason": reason}),
            quick=getattr(model, "quick", False),
            overlaps=getattr(model, "overlaps", False),
        )
        self._keys = Keys(config.keys_file) if config.keys_file is not None else None
        self._dispatcher = dispatcher
        service = self._service = Service(config, model, dispatcher, self._keys, collector, shared, index)
        prefix = os.urandom(6).hex()
        self._door = Door(config.settings, service.handle, service.count, service.reject, _headers(config), prefix)

    async def run(self, listener: socket.socket) -> bool:
        """Serves until it is told to end. Whether no call of the model runs any more then."""
        signal.signal(OVER_TIME, self._interrupt)
        self._loop.add_signal_handler(signal.SIGTERM, self._drain, 0.0, 10.0)
        self._channel.connection.setblocking(False)
        self._loop.add_reader(self._channel.connection.fileno(), self._read_channel)
        ticking = self._loop.create_task(self._tick())
        self._service.ready = True
        await self._listen(listener)
        self._say({"event": "ready"})
        await self._ended
        ticking.cancel()
        return self._dispatcher.stop()

    async def _listen(self, listener: socket.socket) -> None:
        listener.setblocking(False)
        server = await self._loop.create_server(lambda: Connection(self._door), sock=listener, backlog=BACKLOG)
        self._servers.append(server)

    async def _tick(self) -> None:
        while True:
            self._cells[metrics.LAYOUT.heartbeat] = monotonic()
            self._cells[metrics.LAYOUT.in_flight] = float(self._door.in_flight)
            self._door.tick()
            self._dispatcher.tick()
            if self._keys is not None:
                self._keys.refresh()
            await asyncio.sleep(0.5)

    def _interrupt(self, signum: int, frame: Any) -> None:
        if self._dispatcher.over_time():
            raise TimeLimit

    def _read_channel(self) -> None:
        messages = self._channel.read()
        if messages is None:  # the supervisor is gone
            self._loop.remove_reader(self._channel.connection.fileno())
            self._drain(0.0, 1.0)
            return
        for message, descriptors in messages:
            if message["do"] == "listen":
                self._loop.create_task(self._go_public(socket.socket(fileno=descriptors[0])))
            elif message["do"] == "drain":
                self._drain(float(message["idle_s"]), float(message["grace_s"]))

    async def _go_public(self, listener: socket.socket) -> None:
        await self._listen(listener)
        self._say({"event": "listening"})

    def _drain(self, idle_s: float, grace_s: float) -> None:
        if not self._door.draining:
            self._door.drain()
            self._service.ready = False
            self._loop.create_task(self._end(idle_s, grace_s))

    async def _end(self, idle_s: float, grace_s: float) -> None:
        """Ends once nobody is connected: who asks gets an answer, who is idle so long or after the grace does not."""
        for server in self._servers:
            server.close()
        until = monotonic() + grace_s
        while self._door.connections and monotonic() < until:
            self._door.close_idle(idle_s)
            await asyncio.sleep(0.01)
        for connection in list(self._door.connections):
            connection.abort()
        if not self._ended.done():
            self._ended.set_result(None)

    def _say(self, message: Message) -> None:
        with contextlib.suppress(OSError):  # the supervisor is gone; its end of the channel will say so
            self._channel.send(message)


def _headers(config: Config) -> Headers:
    """What every answer says of the service: its models, and the digests that are known."""
    models = ", ".join(f"{model.name}:{model.version}" for model in config.models)
    told = {
        b"x-mlplan-digest": config.digest,
        b"x-mlplan-model": models,
        b"x-mlplan-code": config.settings.code_digest,
        b"x-mlplan-manifest": config.settings.manifest_digest,
    }
    return tuple((name, value.encode("latin-1")) for name, value in told.items() if value)


def warm_up(model: Any, sample: Any) -> None:
    """Asks a model the recorded sample, so that the first client doesn't wait for what is made on first use."""
    if sample is None or model.is_async:
        return
    request = Request(None, b"POST", b"/score", b"", {NOT_KEPT: b"no"})  # type: ignore[arg-type]  # nobody gets its answer
    request.body = json_text.dumps(sample)
    try:
        (outcome,) = execute([model.score(request)])
    except Refused as refused:
        outcome = refused
    if not isinstance(outcome, Response):
        logs.say(f"the recorded sample is no request for this model: {outcome}")


def _add(cells: memoryview[float], cell: int) -> None:
    cells[cell] += 1.0


def _new_loop() -> Any:
    try:
        import uvloop
    except ImportError:  # no wheel for this interpreter
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _die_with_parent() -> None:
    """Asks the kernel to end this process when its supervisor ends, however that ends."""
    if sys.platform.startswith("linux"):
        import ctypes

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def _last_lines(text: str) -> str:
    return "\n".join(text.rstrip().splitlines()[-_LAST_LINES:])
