"""What a service does with requests that are too large, too slow, too many, malformed, or nobody's."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable

import pytest

from .conftest import Serve
from .running import KEYS, Answer, Service, ask, write_keys

ECHO = """
import json, time

def init():
    pass

def run(data):
    order = json.loads(data) if data.startswith("{") else {}
    time.sleep(order.get("sleep", 0))
    until = time.monotonic() + order.get("spin", 0)
    while time.monotonic() < until:
        pass
    return len(data)
"""


@pytest.fixture(scope="module")
def echo(serve_module: Serve) -> Service:
    return serve_module(
        script=ECHO, settings={"max_body_bytes": 1000, "header_timeout_s": 1.0, "body_timeout_s": 1.0}
    )


def head(text: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and the rest of what came over a raw connection."""
    first, _, rest = text.partition(b"\r\n\r\n")
    line, *lines = first.decode("latin-1").split("\r\n")
    return int(line.split()[1]), dict(item.split(": ", 1) for item in lines), rest


def test_64_mib_of_junk_are_refused_before_they_are_read(serve: Serve) -> None:
    service = serve(script=ECHO)
    junk = b"x" * (64 * 2**20)
    before = resident(service)
    for _ in range(2):
        answer = service.ask("POST", "/score", junk)
        assert answer.status == 413
        assert answer.json["message"] == "The body is larger than 16777216 bytes (max_body)."
        assert answer.headers["connection"] == "close"
    assert resident(service) - before < 16 * 2**20
    assert service.score({}).json == 2


def resident(service: Service) -> int:
    (pid,) = service.status["workers"]
    with open(f"/proc/{pid}/statm", encoding="ascii") as stream:
        return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_the_answer_to_a_large_body_does_not_wait_for_it(echo: Service) -> None:
    with socket.create_connection(("127.0.0.1", echo.port), timeout=5) as connection:
        connection.sendall(b"POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: 67108864\r\n\r\nonly this")
        status, headers, _ = head(connection.recv(65536))
    assert status == 413
    assert headers["connection"] == "close"


def test_a_chunked_body_is_counted_while_it_comes(echo: Service) -> None:
    chunk = b"1f4\r\n" + b"x" * 500 + b"\r\n"
    start = b"POST /score HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    status, _, body = head(echo.raw(start + chunk * 3))
    assert (status, json.loads(body)["message"]) == (413, "The body is larger than 1000 bytes (max_body).")
    status, _, body = head(
        echo.raw(start.replace(b"host: x", b"host: x\r\nconnection: close") + chunk * 2 + b"0\r\n\r\n")
    )
    assert (status, body) == (200, b"1000")


def test_a_large_header_is_refused(echo: Service) -> None:
    answer = echo.ask("GET", "/", None, {"x-large": "x" * 40000})
    assert answer.status == 431
    assert echo.ask("GET", "/" + "x" * 40000).status == 431


@pytest.mark.parametrize(
    "start",
    [
        b"GET /",
        b"GET / HTTP/1.1\r\nhost: x\r\na: ",
        b"POST /score HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1;a=",
        b"POST /score HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\na: ",
    ],
    ids=["a path", "a header", "an extension of a chunk", "a trailer"],
)
def test_a_header_is_not_waited_for_to_the_end_of_memory(echo: Service, start: bytes) -> None:
    with socket.create_connection(("127.0.0.1", echo.port), timeout=10) as connection:
        connection.sendall(start + b"x" * 1_000_000)  # and no end of the line
        assert head(connection.recv(65536))[0] == 431


def test_a_long_request_id_is_refused_and_a_short_one_comes_back(echo: Service) -> None:
    answer = echo.ask("GET", "/", None, {"x-request-id": "x" * 101})
    assert (answer.status, answer.json["message"]) == (431, "x-request-id may have at most 100 characters.")
    answer = echo.ask("GET", "/", None, {"x-request-id": "abc", "x-ms-client-request-id": "c1"})
    assert answer.headers["x-request-id"] == "abc"
    assert answer.headers["x-ms-client-request-id"] == "c1"
    made = {echo.ask("GET", "/").headers["x-request-id"] for _ in range(3)}
    assert len(made) == 3


@pytest.mark.parametrize(
    "sent",
    [b"GET / HTTP/1.1\r\nhost", b"POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc"],
    ids=["in the header", "in the body"],
)
def test_a_request_that_never_ends_is_cut_off(echo: Service, sent: bytes) -> None:
    status, headers, body = head(echo.raw(sent))
    assert (status, json.loads(body)["message"]) == (408, "The request took too long to arrive.")
    assert headers["connection"] == "close"


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /score HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /score HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /score HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        b"POST /score HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
def test_what_is_not_http_is_refused(echo: Service, sent: bytes) -> None:
    status, headers, body = head(echo.raw(sent))
    assert status == 400
    assert re.fullmatch(r"This is not HTTP/1\.1: .+\.", json.loads(body)["message"])  # the parser says why
    assert headers["connection"] == "close"


PLAIN = b"POST /score HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400, "An HTTP/1.1 request names its host, once."),
        (b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400, "An HTTP/1.1 request names its host, once."),
        (
            PLAIN + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            501,
            "The only transfer coding that is known here is chunked.",
        ),
        (
            PLAIN + b"content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
            415,
            "The body must come as it is, without a Content-Encoding.",
        ),
    ],
    ids=["no host", "two hosts", "a packed transfer", "a packed body"],
)
def test_what_is_not_understood_is_refused_in_its_own_words(
    echo: Service, sent: bytes, status: int, message: str
) -> None:
    got, headers, body = head(echo.raw(sent))
    assert (got, json.loads(body)["message"]) == (status, message)
    assert headers["connection"] == "close"


def test_what_comes_after_a_body_is_no_header(serve: Serve) -> None:
    service = serve(script="def init(): pass\ndef run(data, request_headers): return sorted(request_headers)\n")
    chunked = PLAIN + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx-api-key: late\r\nhost: y\r\n\r\n"
    status, _, body = head(service.raw(chunked))
    assert (status, json.loads(body)) == (200, ["Connection", "Host", "Transfer-Encoding"])


def test_a_proxys_form_of_the_path_is_read(echo: Service) -> None:
    _, _, body = head(echo.raw(b"GET http://host:1/?x HTTP/1.1\r\nhost: host:1\r\nconnection: close\r\n\r\n"))
    assert body == b"Healthy"
    status, _, _ = head(echo.raw(b"GET http://host HTTP/1.1\r\nhost: host\r\nconnection: close\r\n\r\n"))
    assert status == 200


def test_requests_in_a_row_are_answered_in_their_order(echo: Service) -> None:
    one = b"POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b"
    last = one.replace(b"host: x", b"host: x\r\nconnection: close")
    received = echo.raw(one % (14, b'{"sleep": 0.1}') + one % (2, b"xx") + last % (3, b"xxx"))
    bodies = [part.partition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [b"14", b"2", b"3"]


def test_a_long_row_of_requests_is_answered_to_its_end(echo: Service) -> None:
    one = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"
    slow = b"POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: 14\r\n\r\n" + b'{"sleep": 0.1}'
    received = echo.raw(slow + one * 2000 + one.replace(b"host: x", b"host: x\r\nconnection: close"))
    assert received.count(b"HTTP/1.1 200 OK") == 2002


def test_an_older_client_and_one_that_asks_first(echo: Service) -> None:
    status, headers, body = head(echo.raw(b"GET / HTTP/1.0\r\n\r\n"))
    assert (status, headers["connection"], body) == (200, "close", b"Healthy")
    with socket.create_connection(("127.0.0.1", echo.port), timeout=5) as connection:
        connection.sendall(b"POST /score HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ab")
        assert head(connection.recv(65536))[2] == b"2"
        connection.sendall(b"POST /score HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2000\r\n\r\n")
        assert head(connection.recv(65536))[0] == 413


def test_an_offer_of_another_protocol_is_not_taken_up(echo: Service) -> None:
    sent = b"POST /score HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\nab"
    after = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    received = echo.raw(sent + after)
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert received.endswith(b"Healthy")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/health/live", 200),
        ("GET", "/health/ready", 200),
        ("GET", "/nothing", 404),
        ("DELETE", "/score", 405),
        ("POST", "/health/live", 405),
        ("OPTIONS", "/health/live", 200),
        ("OPTIONS", "/nothing", 404),
    ],
)
def test_paths_and_methods(echo: Service, method: str, path: str, status: int) -> None:
    answer = echo.ask(method, path)
    assert answer.status == status
    assert answer.headers["x-mlplan-digest"] == "d" * 64
    assert "server" not in answer.headers
    if status >= 400:
        assert set(answer.json) == {"message", "request_id"}
    if status == 405 or (status, method) == (200, "OPTIONS"):
        score = path == "/score"
        assert answer.headers["allow"] == ("GET, HEAD, OPTIONS, POST" if score else "GET, HEAD, OPTIONS")
    if method == "HEAD":
        assert answer.body == b""


def in_background(call: Callable[[], Answer]) -> tuple[threading.Thread, list[Answer]]:
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()
    return thread, answers


@pytest.mark.parametrize("slow", [{"sleep": 0.5}, {"spin": 0.5}], ids=["asleep", "busy"])
def test_probes_answer_while_run_takes_long(echo: Service, slow: dict[str, float]) -> None:
    asking = [in_background(lambda: echo.score(slow)) for _ in range(2)]
    probe = http.client.HTTPConnection("127.0.0.1", echo.port, timeout=5)
    times = []
    while any(thread.is_alive() for thread, _ in asking):
        started = time.monotonic()
        assert ask(probe, "GET", "/health/ready", None).status == 200
        times.append(time.monotonic() - started)
        time.sleep(0.01)
    assert len(times) > 10
    assert sorted(times)[len(times) // 2] < 0.2  # far under what `run` takes; the benchmark has the exact numbers
    assert [answers[0].status for _, answers in asking] == [200, 200]


@pytest.mark.parametrize("slow", [{"sleep": 1.5}, {"spin": 60}], ids=["asleep", "busy"])
def test_a_time_limit_is_kept_and_the_worker_survives(serve: Serve, slow: dict[str, float]) -> None:
    service = serve(script=ECHO, settings={"timeout_s": 0.3})
    workers = service.status["workers"]
    answer = service.score(slow)
    assert (answer.status, answer.json["message"]) == (504, "The model took longer than 0.3 s.")
    assert answer.headers["x-ms-run-function-failed"] == "True"
    until = time.monotonic() + 20
    while service.score({}).status != 200 and time.monotonic() < until:
        time.sleep(0.05)
    assert service.score({}).status == 200
    assert service.status["workers"] == workers


def test_who_waits_too_long_is_told_that_others_took_the_time(serve: Serve) -> None:
    service = serve(script=ECHO, settings={"timeout_s": 0.3})
    assert service.score({"sleep": 4}).json["message"] == "The model took longer than 0.3 s."
    answer = service.score({})  # the sleep can't be ended
    told = "The request waited longer than 0.3 s for those before it."
    assert (answer.status, answer.json["message"]) == (504, told)


@pytest.mark.parametrize("slow", [{"sleep": 30}, {"spin": 30}], ids=["asleep", "busy"])
def test_a_time_limit_is_kept_in_the_event_loop_too(serve: Serve, slow: dict[str, float]) -> None:
    service = serve(script=ECHO, settings={"timeout_s": 0.3, "dispatch": "inline"})
    workers = service.status["workers"]
    answer = service.score(slow)
    assert (answer.status, answer.json["message"]) == (504, "The model took longer than 0.3 s.")
    assert service.score({}).status == 200
    assert service.status["workers"] == workers


def test_calls_that_never_end_cost_the_worker_not_the_service(serve: Serve) -> None:
    script = "import signal\ndef init(): pass\ndef run(data):\n"
    script += "    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})\n    while True: pass\n"
    service = serve(script=script, settings={"timeout_s": 0.2, "dispatch": "inline"})
    (worker,) = service.status["workers"]
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        service.ask("POST", "/score", b"x", timeout_s=30)
    until = time.monotonic() + 20
    while service.status["workers"] in ([], [worker]) and time.monotonic() < until:
        time.sleep(0.05)
    assert service.ask("GET", "/health/ready").status == 200


def test_too_many_waiting_requests_are_sent_away(serve: Serve) -> None:
    service = serve(script=ECHO, settings={"max_queue": 2})
    asking = [in_background(lambda: service.score({"sleep": 0.5})) for _ in range(8)]
    for thread, _ in asking:
        thread.join()
    statuses = sorted(answers[0].status for _, answers in asking)
    assert statuses.count(200) >= 2
    assert statuses.count(429) >= 1
    sent_away = next(answers[0] for _, answers in asking if answers[0].status == 429)
    assert sent_away.headers["retry-after"] == "1"
    assert sent_away.json["message"] == "2 requests wait already; try again later."
    assert set(statuses) == {200, 429}


def test_a_script_runs_once_at_a_time_wherever_it_runs(serve: Serve) -> None:
    script = ECHO.replace("def run(data):", "running = []\n\ndef run(data):\n    running.append(1)")
    script = script.replace("return len(data)", "together = len(running)\n    running.pop()\n    return together")
    service = serve(script=script, settings={"dispatch": "inline"})
    beside, answers = in_background(
        lambda: service.score({"sleep": 1, "large": "x" * 20000})
    )  # too large for the loop
    while beside.is_alive():
        assert service.score({}).json == 1
    assert answers[0].json == 1


def test_nobody_is_sent_away_from_a_model_in_the_event_loop(serve: Serve) -> None:
    service = serve(script=ECHO, settings={"dispatch": "inline", "max_queue": 2})
    one = b"POST /score HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"
    clients = [socket.create_connection(("127.0.0.1", service.port), timeout=10) for _ in range(30)]
    for client in clients:
        client.sendall(one)
    assert [head(client.recv(65536))[0] for client in clients] == [200] * 30
    for client in clients:
        client.close()


def test_too_many_connections_are_sent_away(serve: Serve) -> None:
    service = serve(script=ECHO, settings={"max_connections": 2})
    port = service.port
    kept = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(2)]
    with socket.create_connection(("127.0.0.1", port), timeout=5) as third:
        assert head(third.recv(65536))[0] == 503
    for connection in kept:
        connection.close()


def test_keys_are_asked_for_and_can_be_changed(serve: Serve, tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "keys.json")
    write_keys(path, KEYS)
    service = serve(script=ECHO, auth="key", keys_file=path)
    first, second = ({"authorization": f"Bearer {key}"} for key in KEYS.values())
    for headers in (first, second, {"x-api-key": KEYS["primary"]}, {"authorization": f"bearer {KEYS['primary']}"}):
        assert service.score({}, headers).status == 200
    for headers in (
        {},
        {"authorization": "Bearer "},
        {"authorization": "Bearer x"},
        {"authorization": KEYS["primary"]},
    ):
        answer = service.score({}, headers)
        assert answer.status == 401
        assert answer.json["message"] == "A valid key is needed: Authorization: Bearer KEY."
        assert answer.headers["www-authenticate"] == "Bearer"
    write_keys(path, {"primary": "brand-new", "secondary": KEYS["secondary"]})
    assert service.score({}, {"authorization": "Bearer brand-new"}).status == 200
    assert service.score({}, first).status == 401
    assert service.score({}, second).status == 200
    for path in ("/", "/health/live", "/health/ready"):
        assert service.ask("GET", path).status == 200
    for path in ("/metrics", "/nothing"):
        assert service.ask("GET", path).status == 401
    for key in (*KEYS.values(), "brand-new"):
        assert key not in service.log


def test_metrics_are_summed_over_the_workers(serve: Serve) -> None:
    service = serve(script=ECHO, workers=2, models={"a/1": b"N."})
    for _ in range(20):
        service.score({})
    service.ask("GET", "/nothing")
    text = service.ask("GET", "/metrics").body.decode()
    assert 'http_server_requests_total{route="/score",code="200"} 20\n' in text
    assert 'http_server_requests_total{route="other",code="404"} 1\n' in text
    assert 'http_server_request_duration_seconds_count{route="/score"} 20\n' in text
    assert 'mlplan_run_duration_seconds_bucket{le="+Inf"} 20\n' in text
    assert "mlplan_workers 2\n" in text
    assert "mlplan_ready 1\n" in text
    assert 'mlplan_model_info{name="a",version="1",digest=""} 1\n' in text
    summary = service.status["metrics"]
    assert (summary["requests"], summary["errors"]) == (20, 0)
    assert 0 < summary["p50_ms"] <= summary["p99_ms"]


def test_a_fast_model_moves_into_the_event_loop_and_a_slow_call_out_of_it(serve: Serve) -> None:
    script = ECHO.replace("return len(data)", "import threading; return threading.current_thread().name")
    service = serve(script=script)
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    assert ask(connection, "POST", "/score", b"x").json == "scoring"
    until = time.monotonic() + 120  # how soon is the machine's affair; `test_pace.py` has the rules
    while ask(connection, "POST", "/score", b"x").json != "MainThread":
        assert time.monotonic() < until
    while ask(connection, "POST", "/score", b"x").json != "scoring":
        ask(connection, "POST", "/score", {"sleep": 0.2})
        assert time.monotonic() < until


def test_an_answer_without_a_body_has_none(serve: Serve) -> None:
    script = "from azureml.contrib.services.aml_response import AMLResponse\n"
    script += "def init(): pass\ndef run(data): return AMLResponse('x', 204)\n"
    service = serve(script=script)
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=5)
    for _ in range(2):
        answer = ask(connection, "POST", "/score", {})
        assert (answer.status, answer.body) == (204, b"")
        assert "content-length" not in answer.headers


def test_the_control_socket_says_what_it_does_not_understand(echo: Service) -> None:
    from mlplan.serving import control

    assert control.ask(echo.control, {"do": "dance"}) == {"error": "unknown: 'dance'"}
    assert "could not convert" in control.ask(echo.control, {"do": "stop", "grace_s": "x"})["error"]
    assert echo.status["phase"] == "ready"
