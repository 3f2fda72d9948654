"""A running service by the command line: what it is, its log, its keys, what it keeps of its requests, and golden
requests before a switch."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from .conftest import HERE
from .project import MLPLAN, Project

GOLDEN = '{"request": {"data": [100, 0]}, "expect": ["above", "below"], "name": "far"}\n'
GOLDEN += '{"request": {"data": [3.5]}, "name": "near"}\n'
TEST = "      - {requests: golden.jsonl, limits: {changed: 0}}\n"
PORT = "    port: ${{ var.port }}\n"


@pytest.fixture(params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def small(request: pytest.FixtureRequest, copy: Callable[..., Project]) -> Iterator[Project]:
    """The project in `small/`, by processes and in containers: what a user does with a service is the same."""
    project = copy("small", HERE / "small")
    if request.param == "docker":
        base = request.getfixturevalue("docker_base")
        project.edit("mlplan.yaml", "{type: local", f"{{type: docker, base_image: {base!r}")
    yield project
    project.mlplan("destroy", "-y", code=None)
    project.mlplan("gc", "-y", code=None)


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
    forgotten = small.mlplan("service", "score", "means", "-d", "testdata.json", code=1).err
    assert "`testdata.json` is a file: to ask with what it holds, write `-d @testdata.json`." in forgotten
    missing = small.mlplan("service", "score", "means", "-d", "@nothing.json", code=1).err
    assert "`nothing.json` can't be read: no such file or directory." in missing
    assert "hint: Check the path: it is relative to the folder in which mlplan runs." in missing
    shown = small.mlplan("service", "show", "means").out
    for line in ("state        Healthy", f"scoring uri  http://127.0.0.1:{small.port}/score", "models       mean:1"):
        assert line in shown
    assert "uptime" in shown
    told = json.loads(small.mlplan("service", "show", "means", "--format", "json").out)
    assert (told["detail"]["metrics"]["requests"], told["detail"]["metrics"]["errors"]) == (6, 2)  # its test, too
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


def test_a_checkout_without_the_keys_says_so(small: Project) -> None:
    small.apply()
    keys, elsewhere = (os.path.join(small.folder, ".mlplan", name) for name in ("service-keys", "elsewhere"))
    os.rename(keys, elsewhere)  # as in another clone
    for words in (["keys", "show", "means"], ["keys", "rotate", "means"], ["score", "means", "-d", "{}"]):
        assert "MLP5018" in small.mlplan("service", *words, code=1).err
    os.rename(elsewhere, keys)


def test_requests_and_answers_are_kept_and_exported(small: Project) -> None:
    assert small.apply()["deployment.means"] == ("create", "done")
    assert small.mlplan("service", "data", "means").out.startswith("Nothing is kept.")
    nowhere = os.path.join(small.folder, "nowhere/kept.jsonl")
    assert "MLP5019" in small.mlplan("service", "data", "means", "--export", nowhere, code=1).err
    assert "MLP5019" in small.mlplan("render", "--out", os.path.join(small.folder, "mlplan.yaml"), code=1).err
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
    assert "stops answering; what it kept of its requests stays until `mlplan gc`." in destroyed(small)
    assert os.listdir(os.path.join(small.folder, ".mlplan", "collected")) == ["means"]
    assert json.loads(small.mlplan("service", "data", "means", "--export", "-").out) == record
    removed = small.mlplan("gc", "-y").err
    assert "what deployment.means, which is no more, kept of its requests: " in removed
    assert os.listdir(os.path.join(small.folder, ".mlplan", "collected")) == []
    assert "MLP5001" in small.mlplan("service", "data", "means", code=1).err


def destroyed(project: Project) -> str:
    """What is said of a project that is destroyed, in one line."""
    done = project.mlplan("destroy", "-y")
    return " ".join((done.out + done.err).split())


@pytest.mark.parametrize("small", [pytest.param("docker", marks=pytest.mark.docker)], indirect=True)
def test_a_plan_can_do_without_the_engine(small: Project) -> None:
    small.apply()
    small.env["DOCKER_HOST"] = "unix:///nowhere.sock"
    assert "    mlplan plan --no-refresh\n" in small.mlplan("plan", code=1).err
    planned = small.mlplan("plan", "--no-refresh")
    del small.env["DOCKER_HOST"]
    assert planned.out.startswith("No changes.")
    assert planned.err == "What is really there was not asked.\n"


@pytest.mark.parametrize("small", ["local"], indirect=True)  # the engine starts a container again
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
    asks = "2 golden requests of golden.jsonl will be asked of both services; no answer may change"
    planned = golden.mlplan("plan").out
    assert asks in " ".join(planned.split())
    assert "asked before" not in planned
    refused = golden.mlplan("apply", "-y", code=3).err
    assert "2 golden requests: 0 wrong, 1 changed" in refused
    assert 'changed: near: ["above"] -> ["below"]' in refused
    assert "error[MLP7035]" in refused
    assert "1 answer is not the live service's, 0 may be" in refused
    assert (
        "golden.jsonl: 1 of 2 answers changed (limit 0), p50 " in refused[refused.index("deployment.means failed") :]
    )
    assert golden.served_digest() == before

    planned = " ".join(golden.mlplan("plan").out.split())
    assert f"{asks} asked before: 1 of 2 answers changed (limit 0), p50 " in planned
    assert 'that stopped the switch near: ["above"] -> ["below"]' in planned
    assert "1 of 2 golden answers changed when it was asked" in planned
    assert "asked before: 1 of 2 answers changed" in golden.mlplan("plan", "--format", "markdown").out
    shown = golden.mlplan("service", "show", "means").out
    assert "stopped      golden.jsonl: 1 of 2 answers changed (limit 0), p50 " in shown
    golden.write("golden.jsonl", GOLDEN.replace("3.5", "3.6"))
    assert "asked before" not in golden.mlplan("plan").out  # something else would be asked now
    golden.write("golden.jsonl", GOLDEN)

    golden.edit("mlplan.yaml", "{changed: 0}", "{changed: 1, p99: 1m}")
    planned = " ".join(golden.mlplan("plan").out.split())
    assert "that stopped the switch, and is within the limits now" in planned
    assert golden.apply()["deployment.means"] == ("update", "done")
    shown = golden.mlplan("service", "show", "means").out
    assert "golden       golden.jsonl: 1 of 2 answers changed (limit 1), p50 " in shown
    assert "stopped" not in shown
    golden.in_step()


@pytest.mark.parametrize("small", ["local"], indirect=True)  # the engine starts a container again
def test_without_a_live_service_nothing_is_compared_and_that_is_told(golden: Project) -> None:
    shown = json.loads(golden.mlplan("service", "show", "means", "--format", "json").out)
    golden.edit("scripts/train.py", "mean = sum(numbers)", "mean = 8 + sum(numbers)")
    os.kill(shown["detail"]["pid"], signal.SIGKILL)
    until = time.monotonic() + 60
    while "starts again" not in (planned := golden.mlplan("plan").out) and time.monotonic() < until:
        time.sleep(0.05)
    assert "2 golden requests of golden.jsonl will be asked\n" in planned
    told = golden.mlplan("apply", "-y").err
    assert "2 golden requests: 0 wrong\n" in told
    assert "the live service didn't answer, so nothing was compared with it" in " ".join(told.split())
    golden.in_step()


def test_what_was_asked_of_one_candidate_is_not_told_of_another(golden: Project) -> None:
    golden.edit("scripts/train.py", "mean = sum(numbers)", "mean = 8 + sum(numbers)")
    golden.mlplan("apply", "-y", code=3)
    (change,) = planned_services(golden)
    assert (change["report"]["changed"], change["missed"]) == (1, ["changed"])
    golden.edit("scripts/score.py", "def run(data):\n", "def run(data):\n    data = str(data)\n")
    (change,) = planned_services(golden)
    assert (change["requests"], change["limits"], change["report"]) == (2, {"changed": 0}, None)


def planned_services(project: Project) -> list[dict[str, Any]]:
    """What a plan tells of golden requests."""
    changes = json.loads(project.mlplan("plan", "--format", "json").out)["resource_changes"]
    return [asked for change in changes for asked in change.get("golden_requests", ())]


def test_an_answer_that_is_not_the_expected_one_is_wrong(golden: Project) -> None:
    golden.write("golden.jsonl", GOLDEN.replace('["above", "below"]', '["below"]'))
    assert "golden requests golden.jsonl changed" in golden.mlplan("plan").out
    failed = golden.mlplan("apply", "-y", code=1).err
    assert 'Asked request far of golden.jsonl, deployment.means answered ["above", "below"]' in failed
