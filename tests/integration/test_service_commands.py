"""A running service by the command line: what it is, its log, its keys, what it keeps of its requests, and golden
requests before a switch."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import Any

import httpx
import pytest

from .project import MLPLAN, Project

GOLDEN = '{"request": {"data": [100, 0]}, "expect": ["above", "below"], "name": "far"}\n'
GOLDEN += '{"request": {"data": [3.5]}, "name": "near"}\n'
TEST = "      - {requests: golden.jsonl, limits: {changed: 0}}\n"
PORT = "    port: ${{ var.port }}\n"


def status(project: Project, key: str) -> int:
    headers = {"authorization": f"Bearer {key}"}
    answer = httpx.post(
        f"http://127.0.0.1:{project.port}/score", headers=headers, json={"data": [1]}, trust_env=False
    )
    return answer.status_code


def test_show_tells_what_is_served_and_how_it_does(small: Project) -> None:
    small.apply()
    project_answers = [small.ask("means", {"data": [100, 0]}) for _ in range(3)]
    assert project_answers == [["above", "below"]] * 3
    assert "answered 400" in small.mlplan("service", "score", "means", "-d", "{", code=1).err
    shown = small.mlplan("service", "show", "means").out
    for line in ("state        Healthy", f"scoring uri  http://127.0.0.1:{small.port}/score", "models       mean:1"):
        assert line in shown
    assert "uptime" in shown
    told = json.loads(small.mlplan("service", "show", "means", "--format", "json").out)
    assert (told["detail"]["metrics"]["requests"], told["detail"]["metrics"]["errors"]) == (5, 1)  # its test, too
    assert 0 < told["detail"]["metrics"]["p50_ms"] <= told["detail"]["metrics"]["p99_ms"]


def test_the_log_is_followed_until_the_service_ends(small: Project) -> None:
    small.apply()
    follow = subprocess.Popen(
        [MLPLAN, "service", "logs", "means", "--follow"],
        cwd=small.folder,
        env=small.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert follow.stdout is not None
    small.mlplan("service", "score", "means", "-d", "{", code=1)
    lines = iter(follow.stdout.readline, "")
    assert any("POST /score 400" in line for line in lines)
    small.mlplan("destroy", "-y")
    follow.stdout.read()
    assert follow.wait(20) == 0


def test_keys_are_shown_and_rotated_while_it_serves(small: Project) -> None:
    small.apply()
    pair = json.loads(small.mlplan("service", "keys", "show", "means", "--format", "json").out)
    assert (status(small, pair["primary"]), status(small, pair["secondary"]), status(small, "x")) == (200, 200, 401)
    new = small.mlplan("service", "keys", "rotate", "means", "secondary").out.strip()
    assert new not in pair.values()
    assert (status(small, pair["primary"]), status(small, new), status(small, pair["secondary"])) == (200, 200, 401)
    small.in_step()


def test_requests_and_answers_are_kept_and_exported(small: Project) -> None:
    assert small.apply()["deployment.means"] == ("create", "done")
    assert small.mlplan("service", "data", "means").out.startswith("Nothing is kept.")
    small.edit("mlplan.yaml", PORT, PORT + "    collect: {without: [secret]}\n")
    assert small.apply()["deployment.means"] == ("update", "done")
    small.ask("means", {"data": [100, 0], "secret": "x"})
    small.edit("mlplan.yaml", "{without: [secret]}", "{outputs: false}")  # what is kept outlasts the service
    small.apply()
    assert small.mlplan("service", "data", "means", "--export", "kept.jsonl").err == "1 records in kept.jsonl.\n"
    with open(os.path.join(small.folder, "kept.jsonl"), encoding="utf-8") as stream:
        (record,) = (json.loads(line) for line in stream)
    assert (record["model"], record["version"], record["designation"]) == ("mean", "1", "requests")
    assert (record["input"], record["output"]) == ({"data": [100, 0]}, ["above", "below"])
    (day,) = json.loads(small.mlplan("service", "data", "means", "--format", "json").out)
    assert (day["model"], day["version"], day["records"]) == ("mean", "1", 1)
    small.in_step()


def test_a_crash_loop_is_a_failed_service_with_its_reason(small: Project) -> None:
    small.edit("scripts/score.py", "def run(data):\n", 'def run(data):\n    if data == "die":\n        os._exit(7)\n')
    small.apply()
    shown: dict[str, Any] = {}
    until = time.monotonic() + 60
    while shown.get("state") != "Failed" and time.monotonic() < until:
        small.mlplan("service", "score", "means", "-d", "die", code=None)
        shown = json.loads(small.mlplan("service", "show", "means", "--format", "json").out)
    assert shown["detail"]["problem"].startswith("5 workers ended one after the other; the last: worker ")
    assert shown["detail"]["problem"].endswith("ended with exit code 7")
    assert "5 workers ended one after the other" in small.mlplan("plan").out
    assert small.apply()["deployment.means"] == ("update", "done")
    assert small.ask("means", {"data": [100, 0]}) == ["above", "below"]


@pytest.fixture
def golden(small: Project) -> Project:
    """A project that asks golden requests; none of its answers may change."""
    small.write("golden.jsonl", GOLDEN)
    small.edit("mlplan.yaml", "      - {request: testdata.json, expect: [above, below]}\n", TEST)
    small.apply()
    return small


def test_a_changed_answer_stops_the_switch(golden: Project) -> None:
    before = golden.served_digest()
    assert golden.ask("means", {"data": [3.5]}) == ["above"]
    golden.edit("scripts/train.py", "mean = sum(numbers)", "mean = 8 + sum(numbers)")
    refused = golden.mlplan("apply", "-y", code=3).err
    assert "2 golden requests: 0 wrong, 1 answered otherwise" in refused
    assert 'otherwise: near: ["below"], not ["above"]' in refused
    assert "error[MLP7035]" in refused
    assert "1 answers are not the live service's, 0 may be" in refused
    assert golden.served_digest() == before

    golden.edit("mlplan.yaml", "{changed: 0}", "{changed: 1, p99: 1m}")
    assert golden.apply()["deployment.means"] == ("update", "done")
    assert "1 answered otherwise than before" in golden.mlplan("service", "show", "means").out
    golden.in_step()


def test_an_answer_that_is_not_the_expected_one_is_wrong(golden: Project) -> None:
    golden.write("golden.jsonl", GOLDEN.replace('["above", "below"]', '["below"]'))
    assert "golden requests golden.jsonl changed" in golden.mlplan("plan").out
    failed = golden.mlplan("apply", "-y", code=1).err
    assert 'Asked far of golden.jsonl, deployment.means answered ["above", "below"]' in failed
