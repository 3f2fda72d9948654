"""Without the compiled parts, on an interpreter that has no wheels for them, a service answers the same."""

from __future__ import annotations

import http.client
import json
import os
from typing import Any

import pytest

from .conftest import Serve
from .running import Service, ask

BLOCK = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in ("httptools", "uvloop", "orjson"):
            raise ImportError(name)

sys.meta_path.insert(0, Absent())
"""
SCRIPT = """
import json, sys
import numpy as np

def init():
    pass

def run(data):
    compiled = [name for name in ("httptools", "uvloop", "orjson") if name in sys.modules]
    return {"compiled": compiled, "got": json.loads(data), "nan": float("nan"), "array": np.array([[1.5, np.nan]])}
"""


CHUNKED = b"POST /score HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def plain(serve_module: Serve) -> Service:
    """A service whose runtime finds none of the three."""

    def block(folder: str) -> None:
        path = os.path.join(folder, "runtime", "__main__.py")
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(BLOCK + text)

    return serve_module(script=SCRIPT, settings={"max_body_bytes": 1000}, change=block)


def test_answers_are_the_same(plain: Service) -> None:
    answer = plain.score({"data": ["ä", 1e3, True, None]})
    assert answer.status == 200
    assert answer.json == {
        "compiled": [],
        "got": {"data": ["ä", 1000.0, True, None]},
        "nan": None,
        "array": [[1.5, None]],
    }
    assert answer.headers["x-request-id"]


def test_many_requests_go_over_one_connection(plain: Service) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", plain.port, timeout=5)
    for number in range(20):
        assert ask(connection, "POST", "/score", [number]).json["got"] == [number]
    assert ask(connection, "GET", "/", None).body == b"Healthy"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\nabc", 413),
        (CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", 200),
        (b"GET / HTTP/1.0\r\n\r\n", 200),
        (b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 404),
    ],
)
def test_http_is_read_by_the_same_rules(plain: Service, sent: bytes, status: int) -> None:
    received = plain.raw(sent)
    assert int(received.rsplit(b"HTTP/1.1 ", 1)[1][:3]) == status


@pytest.mark.parametrize("value", [[1, 2.5, "x"], {"1": None}, "ä", 1.0, True])
def test_both_writers_of_json_write_the_same_values(value: Any) -> None:
    from mlplan.serving import json_text

    assert json.loads(json_text._slow_dumps(value)) == json.loads(json_text._fast_dumps(value)) == value


@pytest.mark.parametrize("text", [b"NaN", b"[Infinity]", b'{"a": -Infinity}'])
def test_neither_reader_of_json_takes_what_is_none(text: bytes) -> None:
    from mlplan.serving import json_text

    for read in (json_text._slow_loads, json_text.loads):
        with pytest.raises(ValueError, match=r"."):
            read(text)
