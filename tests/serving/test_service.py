"""What every answer carries, and what a page of another origin may ask."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from mlplan.serving import logs

from .conftest import Serve

ECHO = "def init(): pass\ndef run(data): return data\n"


def test_every_answer_says_what_it_comes_from(serve: Serve) -> None:
    settings = {"code_digest": "c" * 64, "manifest_digest": "a" * 64}
    service = serve(script=ECHO, models={"one/1": b"N.", "two/7": b"N."}, settings=settings)
    for answer in (service.ask("GET", "/"), service.score({}), service.ask("GET", "/nothing")):
        assert answer.headers["x-mlplan-digest"] == "d" * 64
        assert answer.headers["x-mlplan-model"] == "one:1, two:7"
        assert answer.headers["x-mlplan-code"] == "c" * 64
        assert answer.headers["x-mlplan-manifest"] == "a" * 64
        assert not any("0123456789abcdef" in value for value in answer.headers.values())


def test_pages_of_other_origins_are_let_in_by_name(serve: Serve) -> None:
    service = serve(script=ECHO, settings={"cors_origins": ["https://a.example"]})
    asked = {"origin": "https://a.example", "access-control-request-method": "POST"}
    answer = service.ask("OPTIONS", "/score", headers=asked)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert answer.headers["vary"] == "origin"
    assert "POST" in answer.headers["access-control-allow-methods"]
    answer = service.score({}, {"origin": "https://b.example"})
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "origin"  # a cache may not hand it to a page that is let in


@pytest.mark.parametrize(
    ("variable", "let_in"), [("https://b.example, https://a.example", "https://a.example"), ("*", "*")]
)
def test_the_retired_systems_variable_lets_pages_in(serve: Serve, variable: str, let_in: str) -> None:
    service = serve(script=ECHO, env={"AML_CORS_ORIGINS": variable})
    answer = service.score({}, {"origin": "https://a.example"})
    assert answer.headers["access-control-allow-origin"] == let_in
    assert ("vary" in answer.headers) == (variable != "*")


def test_no_page_is_let_in_unless_named(serve: Serve) -> None:
    asked = {"origin": "https://a.example", "access-control-request-method": "POST"}
    service = serve(script=ECHO)
    for answer in (service.ask("OPTIONS", "/score", headers=asked), service.score({}, asked)):
        assert not any(name.startswith("access-control") for name in answer.headers)


def test_a_recorded_sample_is_asked_before_it_is_ready(serve: Serve) -> None:
    script = "seen = []\ndef init(): pass\ndef run(data):\n    seen.append(data)\n    return seen\n"
    service = serve(script=script, settings={"sample": {"data": [1]}})
    assert service.score({"x": 2}).json == ['{"data":[1]}', '{"x": 2}']
    odd = serve(script="def init(): pass\ndef run(data): raise ValueError('odd')\n", settings={"sample": 1})
    assert "the recorded sample is no request for this model: odd" in odd.log


BATCHED = """
import json, threading, time

def init():
    pass

def run(data):
    rows = json.loads(data)["data"]
    time.sleep(0.1)
    if any(row[0] == 13 for row in rows):
        raise ValueError("unlucky")
    return {"calls": [len(rows)] * len(rows), "doubled": [2 * row[0] for row in rows]}
"""


def test_a_script_that_takes_many_rows_is_asked_many_at_a_time(serve: Serve) -> None:
    service = serve(script=BATCHED, settings={"batch": True})

    def ask_all(numbers: range) -> dict[int, Any]:
        answers: dict[int, Any] = {}

        def ask(number: int) -> None:
            answers[number] = service.score({"data": [[number]] * (1 + number % 2)})

        threads = [threading.Thread(target=ask, args=(number,)) for number in numbers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    lucky = ask_all(range(20, 40))
    assert max(answer.json["calls"][0] for answer in lucky.values()) > 2
    mixed = ask_all(range(8, 18))
    assert mixed.pop(13).status == 500
    for number, answer in {**lucky, **mixed}.items():
        assert answer.status == 200
        assert answer.json["doubled"] == [2 * number] * (1 + number % 2)


def test_a_script_is_asked_one_by_one_unless_it_says_so(serve: Serve) -> None:
    service = serve(script=BATCHED)
    threads = [threading.Thread(target=service.score, args=({"data": [[1]]},)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 'mlplan_batch_rows_bucket{le="1"} 4\n' in service.ask("GET", "/metrics").body.decode()


TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "


def test_the_log_says_when_and_what_was_asked(serve: Serve) -> None:
    script = "import logging\ndef init(): logging.getLogger('own').info('loaded')\n"
    service = serve(script=script + "def run(data): raise ValueError\n")
    service.ask("GET", "/nothing/here?secret=1", headers={"x-request-id": "a"})
    service.score({}, {"x-request-id": "b"})
    text = service.log
    for line in (
        r"\[a\] GET /nothing/here 404",
        r"\[b\] Traceback .*",
        r"\[b\] POST /score 500",
        "INFO loaded",
        "mlplan service: ready on http.*",
    ):
        assert re.search(f"^{TIME}{line}$", text, re.MULTILINE), line
    assert "secret" not in text
    assert b'route="other"' in service.ask("GET", "/metrics").body
    assert b"nothing" not in service.ask("GET", "/metrics").body


def test_a_path_stands_in_a_line_of_the_log() -> None:
    assert logs.shown(b"/a%20b/\xc3\xa4\x1b[31m\n") == "/a%20b/%C3%A4%1B[31m%0A"
    assert logs.shown(b"/" * 300) == "/" * 200 + "..."
    assert logs.shown(b"") == "-"


def test_a_times_text_is_utc() -> None:
    assert logs.iso(1769860800.25) == "2026-01-31T12:00:00.250Z"
