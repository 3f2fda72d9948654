"""How a service starts, is replaced, and ends."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
import time

import pytest

from mlplan.serving import control

from .conftest import Serve
from .running import Service, ask, free_port, lay_out

ECHO = """
import json, os, time

def init():
    pass

def run(data):
    order = json.loads(data)
    time.sleep(order.get("sleep", 0))
    if order.get("die"):
        os._exit(7)
    return {"pid": os.getpid(), "generation": GENERATION, "order": order.get("n")}
"""


def echo(generation: int = 0) -> str:
    return ECHO.replace("GENERATION", str(generation))


def test_a_candidate_answers_in_private_and_not_in_public(serve: Serve) -> None:
    service = serve(script=echo())
    status = service.status
    assert status["phase"] == "ready"
    assert status["bound"] is True
    assert status["key"] == "0123456789abcdef"
    assert service.score({"n": 1}).json["order"] == 1
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", service.config["port"])):
        pass


def test_it_goes_live_on_its_own_socket(serve: Serve) -> None:
    service = serve(script=echo())
    assert control.ask(service.control, {"do": "go-live", "from": None}) == {"phase": "live"}
    connection = http.client.HTTPConnection("127.0.0.1", service.config["port"], timeout=5)
    assert ask(connection, "GET", "/", None).body == b"Healthy"
    assert service.status["phase"] == "live"


def test_a_taken_port_is_told_and_refused(serve: Serve) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        service = serve(script=echo(), port=stranger.getsockname()[1])
        assert service.status["bound"] is False
        answer = control.ask(service.control, {"do": "go-live", "from": None})
    assert "Address already in use" in answer["error"]
    assert service.status["phase"] == "ready"


@pytest.mark.parametrize("live", [False, True], ids=["a candidate", "live at once"])
def test_a_port_that_is_taken_after_all_is_told_and_refused(serve: Serve, live: bool) -> None:
    service = serve(script="import time\ndef init(): time.sleep(1)\ndef run(data): pass\n", wait=False, live=live)
    assert service.wait("starting")["bound"]
    with socket.socket() as stranger:  # both may bind while none listens
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", service.config["port"]))
        stranger.listen()
        if live:
            assert service.wait("failed")["error"].endswith("Address already in use")
            assert service.process.wait(10) == 3
            return
        service.wait("ready")
        answer = control.ask(service.control, {"do": "go-live", "from": None})
        assert "Address already in use" in answer["error"]
    assert control.ask(service.control, {"do": "go-live", "from": None}) == {"phase": "live"}


def test_the_control_socket_is_for_its_user_alone_and_may_lie_deep(tmp_path: os.PathLike[str]) -> None:
    folder = os.path.join(tmp_path, *(["a-rather-long-name-for-a-folder"] * 4))
    service = Service(folder, lay_out(folder, script=echo()), live=False)
    try:
        service.wait("ready")
        assert os.stat(service.control).st_mode & 0o777 == 0o600
    finally:
        service.stop()
    assert not os.path.exists(service.control)


def test_a_script_that_can_not_start_fails_the_service_with_its_last_words(serve: Serve) -> None:
    service = serve(script="def init():\n    raise RuntimeError('no such table')\ndef run(data): pass\n", wait=False)
    status = service.wait("failed")
    assert status["error"].endswith("RuntimeError: no such table")
    assert service.process.wait(10) == 3


def test_a_dead_worker_is_replaced_and_counted(serve: Serve) -> None:
    service = serve(script=echo(), workers=2)
    first = service.score({"n": 1}).json["pid"]
    with pytest.raises(http.client.RemoteDisconnected):
        service.score({"die": True})
    until = time.monotonic() + 20
    status = service.status
    while (status["restarts"] != 1 or len(status["workers"]) < 2) and time.monotonic() < until:
        time.sleep(0.02)
        status = service.status
    assert status["restarts"] == 1
    assert len(status["workers"]) == 2
    assert first in status["workers"] or service.score({"n": 2}).status == 200
    assert "ended with exit code 7" in service.log


def test_a_crash_loop_is_a_failed_service(serve: Serve) -> None:
    service = serve(script=echo())
    for _ in range(5):  # each waits for the next worker, whom the listening socket outlives
        with pytest.raises(http.client.RemoteDisconnected):
            service.score({"die": True})
    status = service.wait("failed")
    assert "5 workers ended one after the other" in status["error"]
    assert "exit code 7" in status["error"]
    assert service.process.wait(10) == 3


def test_a_request_in_flight_is_answered_at_sigterm(serve: Serve) -> None:
    service = serve(script=echo(), live=True)
    workers = service.status["workers"]
    connection = http.client.HTTPConnection("127.0.0.1", service.config["port"], timeout=10)
    answers = []
    asking = threading.Thread(
        target=lambda: answers.append(ask(connection, "POST", "/score", {"sleep": 0.6, "n": 5}))
    )
    asking.start()
    wait_for_in_flight(service)
    service.process.send_signal(signal.SIGTERM)
    asking.join(10)
    assert answers[0].json["order"] == 5
    assert answers[0].headers["connection"] == "close"
    assert service.process.wait(10) == 0
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", service.config["port"]))


def test_stop_ends_a_request_that_outlasts_the_grace(serve: Serve) -> None:
    service = serve(script=echo(), live=True)
    connection = http.client.HTTPConnection("127.0.0.1", service.config["port"], timeout=20)
    connection.request("POST", "/score", b'{"sleep": 30}')
    wait_for_in_flight(service)
    started = time.monotonic()
    assert control.ask(service.control, {"do": "stop", "grace_s": 0.3}) == {"phase": "draining"}
    assert service.process.wait(10) == 0
    assert time.monotonic() - started < 8


def test_workers_end_with_their_supervisor(serve: Serve) -> None:
    service = serve(script=echo(), workers=2)
    workers = service.status["workers"]
    service.process.kill()
    service.process.wait()
    until = time.monotonic() + 10
    while any(alive(pid) for pid in workers) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(alive(pid) for pid in workers)


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stream:
            return stream.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_in_flight(service: Service) -> None:
    """Until a request has come to the model: the metrics say so twice a second."""
    until = time.monotonic() + 10
    probe = http.client.HTTPConnection("127.0.0.1", service.port, timeout=5)
    while time.monotonic() < until:
        text = ask(probe, "GET", "/metrics", None).body.decode()
        if "http_server_active_requests 2\n" in text or "http_server_active_requests 1\n" in text:
            return
        time.sleep(0.02)
    raise AssertionError("no request came in flight")


KEPT = pytest.mark.parametrize("kept", [True, False], ids=["kept", "a connection per request"])


@KEPT
def test_updates_under_load_lose_no_request(serve: Serve, kept: bool) -> None:
    update_under_load(serve, kept, updates=4)


@pytest.mark.slow
@KEPT
def test_50_updates_under_load_lose_no_request(serve: Serve, kept: bool) -> None:
    update_under_load(serve, kept, updates=50)


def update_under_load(serve: Serve, kept: bool, updates: int) -> None:
    port = free_port()
    load = Load(port, kept=kept, clients=6)
    old = serve(script=echo(0), port=port)
    control.ask(old.control, {"do": "go-live", "from": None})
    load.start()
    for generation in range(1, updates + 1):
        new = serve(script=echo(generation), port=port)
        assert new.status["bound"] is False
        load.wait_for(generation - 1)
        assert control.ask(new.control, {"do": "go-live", "from": old.control}) == {"phase": "live"}
        assert old.process.wait(20) == 0
        load.wait_for(generation)
        old = new
    load.stop()
    assert load.failures == []
    assert load.seen == list(range(updates + 1))


class Load:
    """Clients that ask without pause."""

    def __init__(self, port: int, *, kept: bool, clients: int) -> None:
        self.failures: list[str] = []
        self.seen: list[int] = []
        self._port = port
        self._kept = kept
        self._going = True
        self._latest = -1
        self._threads = [threading.Thread(target=self._ask_on, daemon=True) for _ in range(clients)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._going = False
        for thread in self._threads:
            thread.join(20)

    def wait_for(self, generation: int) -> None:
        until = time.monotonic() + 20
        while self._latest < generation and time.monotonic() < until:
            time.sleep(0.005)
        assert self._latest >= generation, self.failures

    def _ask_on(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        while self._going:
            try:
                answer = ask(connection, "POST", "/score", {"n": 3})
                if answer.status != 200 or answer.json["order"] != 3:
                    self.failures.append(f"{answer.status} {answer.body!r}")
                generation = answer.json["generation"]
                if generation not in self.seen:
                    self.seen.append(generation)
                self._latest = max(self._latest, generation)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
            if not self._kept:
                connection.close()
        connection.close()
