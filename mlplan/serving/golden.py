"""Golden requests: asked of a candidate and of the service that is live, and their answers compared.

Each is {"request": body, "expect": answer, "tolerance": 1e-6, "name": text}, of which only `request` is needed.
Records that a service has collected are taken as well: what was asked, and what was answered then. Standard library
alone, so that whoever deploys can use it without the runtime's environment.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import urlsplit

TOLERANCE = 1e-6
"""How far apart, relatively, two numbers may be and still be the same answer, where nothing else is said."""

_WARM_REQUESTS = 300
"""More than the runtime looks at before it decides where a model's calls run (`pace.py`)."""
_WARM_S = 1.0

NOTHING: Any = object()
"""Stands where no answer is expected."""


class Golden(NamedTuple):
    """One request."""

    name: str
    body: Any
    expect: Any  # `NOTHING` where any answer that is no error will do
    tolerance: float


class Given(NamedTuple):
    """What a service answered."""

    status: int
    value: Any  # decoded; text where it isn't JSON
    ms: float


class Changed(NamedTuple):
    """A request that the candidate answers otherwise."""

    name: str
    candidate: Given
    other: Any  # the live service's answer, or the expected one


class Report(NamedTuple):
    """The comparison, as a plan shows it."""

    asked: int
    wrong: Sequence[Changed]  # errors, and answers that aren't the expected ones
    changed: Sequence[Changed]  # answers that differ from the live service's
    p50_ms: float
    p99_ms: float
    live_p50_ms: float | None
    live_p99_ms: float | None


def goldens_of(items: Iterable[Mapping[str, Any]], tolerance: float = TOLERANCE) -> list[Golden]:
    """The requests that the items of a file ask for, each of them with a `request` or an `input`; `tolerance` is for
    those that name none."""
    return [_golden(item, place, tolerance) for place, item in enumerate(items, start=1)]


def _golden(item: Mapping[str, Any], place: int, usual: float) -> Golden:
    body = item["request"] if "request" in item else item["input"]
    expect = item.get("expect", item.get("output", NOTHING))
    name = str(item.get("name", item.get("request_id", place)))
    return Golden(name, body, expect, float(item.get("tolerance", usual)))


def ask_all(urls: Sequence[str], key: str, goldens: Sequence[Golden], timeout_s: float = 60.0) -> list[list[Given]]:
    """What each of the services answers, asked in turn, request by request, over a connection each.

    So whatever else the machine does slows all of them. Each gets the first one once before, which doesn't count: it
    pays for the connection and for what is made on first use. The first service is new: it gets as many more before
    as let it find its pace, as the others did by their clients. Raises: OSError.
    """
    headers = {"content-type": "application/json", "x-mlplan-collect": "no"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    connections = [_connection(url, timeout_s) for url in urls]
    found: list[list[Given]] = [[] for _ in urls]
    try:
        _warm(connections[0], goldens, headers)
        for place, golden in enumerate([*goldens[:1], *goldens]):
            body = json.dumps(golden.body).encode()
            for answers, connection in zip(found, connections):
                given = _ask(connection, body, headers)
                if place:
                    answers.append(given)
    except http.client.HTTPException as error:
        raise ConnectionError(f"{', '.join(urls)}: no HTTP answer: {error!r}") from error
    finally:
        for connection in connections:
            connection.close()
    return found


def _warm(connection: http.client.HTTPConnection, goldens: Sequence[Golden], headers: dict[str, str]) -> None:
    """Asks for nothing but that what comes after is as fast as it will be."""
    until = perf_counter() + _WARM_S
    bodies = [json.dumps(golden.body).encode() for golden in goldens]
    for place in range(_WARM_REQUESTS if bodies else 0):
        if perf_counter() > until:
            return
        _ask(connection, bodies[place % len(bodies)], headers)


def _connection(url: str, timeout_s: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    return http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=timeout_s)


def _ask(connection: http.client.HTTPConnection, body: bytes, headers: dict[str, str]) -> Given:
    started = perf_counter()
    connection.request("POST", "/score", body, headers)
    response = connection.getresponse()
    text = response.read()
    return Given(response.status, _decoded(text), (perf_counter() - started) * 1000)


def compare(goldens: Sequence[Golden], candidate: Sequence[Given], live: Sequence[Given] | None = None) -> Report:
    """What the candidate answers wrongly, what it answers otherwise than the live service, and how fast each is."""
    wrong: list[Changed] = []
    changed: list[Changed] = []
    for place, golden in enumerate(goldens):
        given = candidate[place]
        if given.status != 200:
            wrong.append(Changed(golden.name, given, None if golden.expect is NOTHING else golden.expect))
        elif golden.expect is not NOTHING and not same(given.value, golden.expect, golden.tolerance):
            wrong.append(Changed(golden.name, given, golden.expect))
        before = live[place] if live is not None else None
        both_answer = before is not None and before.status == given.status == 200
        if before is not None and both_answer and not same(given.value, before.value, golden.tolerance):
            changed.append(Changed(golden.name, given, before.value))
    ours = sorted(given.ms for given in candidate)
    theirs = sorted(given.ms for given in live) if live else None
    return Report(
        len(goldens),
        wrong,
        changed,
        _at(ours, 0.5),
        _at(ours, 0.99),
        _at(theirs, 0.5) if theirs else None,
        _at(theirs, 0.99) if theirs else None,
    )


def same(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two JSON values are the same, numbers within a relative tolerance."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return one == other or abs(one - other) <= tolerance * max(abs(one), abs(other))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b, tolerance) for a, b in zip(one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name], tolerance) for name in one)
    return bool(one == other)


def shown(report: Report) -> Iterator[str]:
    """The report as lines of text, a few of each kind."""
    changed = "" if report.live_p50_ms is None else f", {len(report.changed)} changed"
    yield f"{report.asked} golden requests: {len(report.wrong)} wrong{changed}"
    before50, before99 = (
        "" if live is None else f"{live:.2f} -> " for live in (report.live_p50_ms, report.live_p99_ms)
    )
    yield f"p50 {before50}{report.p50_ms:.2f} ms, p99 {before99}{report.p99_ms:.2f} ms"
    for item in report.wrong[:5]:
        yield f"wrong: {item.name}: {short(item.candidate.value)}, not {short(item.other)}"
    for item in report.changed[:5]:
        yield f"changed: {item.name}: {short(item.other)} -> {short(item.candidate.value)}"


def short(value: Any) -> str:
    """A value as JSON in at most 80 characters."""
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _at(times: Sequence[float] | None, share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))] if times else 0.0


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
