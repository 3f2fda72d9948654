"""Services as they are now beside what is recorded of them, as text and as JSON."""

from __future__ import annotations

import json

from mlplan.address import Address
from mlplan.json_types import Json
from mlplan.kinds.deployment.collected import Day
from mlplan.serving.collect import Place
from mlplan.state.records import EMPTY, Recorded, Stopped
from mlplan.views.services import collected_days, keys, service, services
from mlplan.world import ObservedService

SERVICE = Address("deployment", "digits")
OUTPUTS: dict[str, Json] = {
    "scoring_uri": "http://127.0.0.1:6789/score",
    "digest": "d" * 64,
    "versions": {"digits": 2},
}
RECORDED = Recorded(SERVICE, {}, OUTPUTS, True, 9)
STATE = EMPTY._replace(resources={SERVICE: RECORDED})


def test_services_as_they_are_now() -> None:
    seen = {SERVICE: ObservedService("Healthy", "k", "e" * 64, "", {"uptime_s": 7500, "pids": [1, 2], "restarts": 0})}
    assert services(STATE, seen, form="text") == (
        "NAME    STATE    MODELS    SCORING URI\ndigits  Healthy  digits:2  http://127.0.0.1:6789/score\n"
    )
    assert service(RECORDED, seen[SERVICE], form="text") == (
        "service digits\n"
        "  state        Healthy\n"
        "  scoring uri  http://127.0.0.1:6789/score\n"
        "  models       digits:2\n"
        "  serves       another digest: eeeeeeeeeeee\n"
        "  uptime       2 h 5 min\n"
        "  pids         [1, 2]\n"
        "  restarts     0\n"
    )


def test_what_golden_requests_came_to_for_what_serves_and_for_what_was_stopped() -> None:
    report: dict[str, Json] = {
        "asked": 200, "wrong": 0, "changed": 3, "p50_ms": 1.312, "p99_ms": 2.41, "live_p50_ms": 1.1,
        "live_p99_ms": 2.0, "examples": [], "limits": {"changed": 0}, "missed": ["changed"], "questions": "q",
    }  # fmt: skip
    first: dict[str, Json] = {"asked": 200, "wrong": 0, "changed": 0, "p50_ms": 1.0, "p99_ms": 2.0}
    recorded = Recorded(SERVICE, {}, {"golden": {"golden.jsonl": first}}, False, 9)
    stopped = Stopped("new", "old", {"golden.jsonl": report, "more.jsonl": first}, 12)
    assert service(recorded, ObservedService("Absent"), form="text", stopped=stopped) == (
        "service digits\n"
        "  state      Absent\n"
        "  golden     golden.jsonl: 200 answered, p50 1.00 ms, p99 2.00 ms\n"
        "  stopped    golden.jsonl: 3 of 200 answers changed (limit 0), p50 1.10 -> 1.31 ms, p99 2.00 -> 2.41 ms\n"
        "  stopped 2  more.jsonl: 200 answered, p50 1.00 ms, p99 2.00 ms\n"
    )


def test_a_service_as_json_has_what_is_recorded_beside_what_is_there() -> None:
    found = json.loads(service(RECORDED, ObservedService("Healthy", "k", "e" * 64, "", {}), form="json"))
    assert (found["digest"], found["served_digest"]) == ("d" * 64, "e" * 64)
    assert (found["golden"], found["stopped"]) == (None, None)


def test_keys_stand_below_one_another() -> None:
    pair = {"primary": "aaa", "secondary": "bbb"}
    assert keys(pair, form="text") == "primary    aaa\nsecondary  bbb\n"
    assert json.loads(keys(pair, form="json")) == pair


def test_what_a_service_kept_by_day() -> None:
    day = Day("2026-01-31", Place("digits", "2", "inputs"), 3, 1200, 34_000)
    assert collected_days([day], form="text") == (
        "DAY         MODEL     KIND    RECORDS  SIZE\n2026-01-31  digits:2  inputs  1200     34 kB\n"
    )
    assert json.loads(collected_days([day], form="json")) == [
        {
            "day": "2026-01-31",
            "model": "digits",
            "version": "2",
            "designation": "inputs",
            "files": 3,
            "records": 1200,
            "size_bytes": 34_000,
        }
    ]
