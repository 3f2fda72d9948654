"""The laws of `mlplan.targets.protocols.Services`, for every target."""

from __future__ import annotations

import os
import socket
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest
from on_targets import accept, digest_at, silent
from this_machine import free_port, listens

from mlplan.codes import target as codes
from mlplan.errors import Refusal
from mlplan.serving import collect
from mlplan.targets.protocols import Endpoint, Resources, ServiceSpec, Target

MakeService = Callable[..., ServiceSpec]


def refuse(endpoint: Endpoint) -> None:
    """Finds every candidate wanting."""
    raise Refusal([codes.MLP8007.diagnostic("wrong answer")])


def test_a_service_is_asked_first_and_then_serves(target: Target, service: MakeService, port: int) -> None:
    spec = service("one")
    asked: list[str] = []

    def verify(endpoint: Endpoint) -> None:
        asked.append(digest_at(endpoint.url))
        assert not endpoint.url.endswith(f":{port}")

    stages: list[str] = []
    assert target.services.check(spec) == []
    seen = target.services.deploy(spec, verify, lambda stage, detail: stages.append(stage))

    assert asked == ["one"]
    assert set(stages) <= {"Preparing", "Transitioning"}
    assert (seen.state, seen.key, seen.digest) == ("Healthy", "key-of-one", "one")
    assert seen.scoring_uri == f"http://127.0.0.1:{port}/score"
    assert digest_at(f"http://127.0.0.1:{port}/") == "one"
    assert target.services.names() == ["scorer"]


def test_a_later_process_sees_the_same_service(
    open_again: Callable[[], Target], target: Target, service: MakeService
) -> None:
    seen = target.services.deploy(service("one"), accept, silent)

    later = open_again().services.observe("scorer")

    assert (later.state, later.key, later.digest) == (seen.state, seen.key, seen.digest)
    assert later.scoring_uri == seen.scoring_uri


def test_the_same_key_is_deployed_once_and_asked_again(target: Target, service: MakeService) -> None:
    before = target.services.deploy(service("one"), accept, silent)
    asked: list[str] = []

    after = target.services.deploy(service("one"), lambda endpoint: asked.append(digest_at(endpoint.url)), silent)

    assert asked == ["one"]
    assert after.detail["pid"] == before.detail["pid"]


def test_a_new_generation_takes_the_port_over(target: Target, service: MakeService, port: int) -> None:
    target.services.deploy(service("one"), accept, silent)
    served: list[str] = []

    spec = service("two")
    assert target.services.check(spec) == []
    assert target.services.in_the_way("scorer", "127.0.0.1", port) == ()
    seen = target.services.deploy(spec, lambda _: served.append(digest_at(f"http://127.0.0.1:{port}/")), silent)

    assert served == ["one"]
    assert (seen.state, seen.digest) == ("Healthy", "two")
    assert digest_at(f"http://127.0.0.1:{port}/") == "two"
    assert target.services.names() == ["scorer"]


def test_a_service_moves_to_another_port(target: Target, service: MakeService, port: int) -> None:
    target.services.deploy(service("one"), accept, silent)
    other = free_port()

    seen = target.services.deploy(service("two", port=other), accept, silent)

    assert seen.scoring_uri == f"http://127.0.0.1:{other}/score"
    assert digest_at(f"http://127.0.0.1:{other}/") == "two"
    assert not listens(port)


def test_a_candidate_that_is_refused_leaves_what_served(target: Target, service: MakeService, port: int) -> None:
    before = target.services.deploy(service("one"), accept, silent)

    with pytest.raises(Refusal, match="wrong answer"):
        target.services.deploy(service("two"), refuse, silent)

    after = target.services.observe("scorer")
    assert (after.state, after.key, after.digest) == ("Healthy", "key-of-one", "one")
    assert after.detail["pid"] == before.detail["pid"]
    assert digest_at(f"http://127.0.0.1:{port}/") == "one"


def test_a_first_candidate_that_is_refused_leaves_nothing(target: Target, service: MakeService, port: int) -> None:
    with pytest.raises(Refusal, match="wrong answer"):
        target.services.deploy(service("one"), refuse, silent)

    assert target.services.observe("scorer").state == "Absent"
    assert not listens(port)


def test_an_interrupted_deploy_leaves_what_served(target: Target, service: MakeService) -> None:
    def interrupt(endpoint: Endpoint) -> None:
        raise KeyboardInterrupt

    target.services.deploy(service("one"), accept, silent)

    with pytest.raises(KeyboardInterrupt):
        target.services.deploy(service("two"), interrupt, silent)

    assert target.services.observe("scorer").digest == "one"


def test_a_port_that_somebody_else_has_is_told_beforehand(target: Target, service: MakeService, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        (found,) = target.services.in_the_way("scorer", "127.0.0.1", port)
        assert found.code == "MLP8002"
        assert str(port) in found.detail
        assert str(os.getpid()) in found.detail
        with pytest.raises(Refusal, match="MLP8002"):
            target.services.deploy(service("one"), accept, silent)

    assert target.services.observe("scorer").state == "Absent"


def test_limits_without_effect_are_told(target: Target, service: MakeService) -> None:
    from mlplan.targets.registry import TARGETS

    asked = service("one", resources=Resources(cpu=1, shm_bytes=1, gpus=1))
    found = [d for d in target.services.check(asked) if d.code == "MLP8001"]

    assert {d.severity for d in found} <= {"warning"}
    assert len(found) in {len(registered.without_effect) for registered in TARGETS.values()}


def test_the_log_is_kept_and_followed_to_its_end(target: Target, service: MakeService) -> None:
    target.services.deploy(service("one"), accept, silent)

    assert any("loading the model of scorer" in line for line in target.services.logs("scorer", follow=False))
    lines = target.services.logs("scorer", follow=True)
    assert next(lines)
    target.services.delete("scorer")
    list(lines)


def score(port: int) -> str:
    """What the service on this port answers to an empty request."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/score", b"{}", {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(answer.read().decode())


def test_what_it_has_answered_is_told(target: Target, service: MakeService, port: int) -> None:
    target.services.deploy(service("one", replicas=2), accept, silent)
    assert [score(port) for _ in range(5)] == ["1"] * 5

    detail = target.services.observe("scorer").detail

    metrics, uptime_s = detail["metrics"], detail["uptime_s"]
    assert isinstance(metrics, dict)
    assert (metrics["requests"], metrics["errors"]) == (5, 0)
    assert 0 < float(str(metrics["p50_ms"])) <= float(str(metrics["p99_ms"]))
    assert float(str(uptime_s)) >= 0
    assert "restarts" not in detail


COLLECTS = """
from azureml.ai.monitoring import Collector
from azureml.datacollector import ModelDataCollector as Older
from azureml.monitoring import ModelDataCollector as Newer

class Table:  # what a collector asks of a DataFrame
    columns = ["a"]

    def to_dict(self, orient):
        return [{"a": 1}]

def init():
    global newest, newer, older
    newest = Collector(name="tables")
    newer = Newer("model", designation="inputs")
    older = Older("model")

def run(data):
    newest.collect(Table())
    newer.collect([[1, 2]])
    older.collect([[3]])
    return 1
"""


def test_what_it_keeps_outlives_its_generations_and_itself(
    target: Target, service: MakeService, port: int, tmp_path: Path
) -> None:
    folder = str(tmp_path / "home" / "collected" / "scorer")
    plan = {"folder": folder, "max_bytes": 1 << 20, "max_file_bytes": 1 << 16}

    def kept() -> dict[str, int]:
        files = chain(collect.opened(folder), target.services.kept("scorer"))
        return dict(Counter("/".join(place) for place, _ in collect.records(files)))

    def keeps(records: int) -> bool:
        wanted = dict.fromkeys((f"model/1/{kind}" for kind in ("requests", "tables", "inputs", "general")), records)
        deadline = time.monotonic() + 60  # they are written when there is time
        while kept() != wanted and time.monotonic() < deadline:
            time.sleep(0.05)
        return kept() == wanted

    for digest, records in (("one", 2), ("two", 4)):
        target.services.deploy(service(digest, script=COLLECTS, collect=plan, replicas=2), accept, silent)
        assert [score(port), score(port)] == ["1", "1"]
        assert keeps(records), kept()
    target.services.delete("scorer")

    assert list(target.services.kept("scorer")) == []
    assert keeps(4), kept()


def test_delete_leaves_nothing(target: Target, service: MakeService, port: int) -> None:
    target.services.deploy(service("one"), accept, silent)

    target.services.delete("scorer")

    assert target.services.observe("scorer").state == "Absent"
    assert target.services.names() == []
    assert not listens(port)
    assert list(target.services.logs("scorer", follow=True)) == []
    target.services.delete("scorer")


def test_two_services_live_side_by_side(target: Target, service: MakeService) -> None:
    other = free_port()
    target.services.deploy(service("one"), accept, silent)
    target.services.deploy(service("two", name="second", port=other), accept, silent)

    assert target.services.names() == ["scorer", "second"]
    assert [target.services.observe(name).digest for name in ("scorer", "second")] == ["one", "two"]
    target.services.delete("scorer")
    assert target.services.observe("second").state == "Healthy"


TELLING = """
import os

def tell(where):
    token = os.environ["TOKEN"]
    os.write(1, f"token {token[:6]}".encode())
    os.write(1, f"{token[6:]} in {where}\\n".encode())

def init():
    tell("init")

def run(data):
    tell("run")
    return 1
"""


def test_what_is_secret_is_masked_in_its_log(target: Target, service: MakeService, port: int) -> None:
    secret = "a canary / of 20+ signs"
    spec = service("one", env={"TOKEN": secret}, secrets=(secret,))
    script = Path(str(spec.code), "score.py")
    script.write_text(TELLING)
    target.services.deploy(spec, accept, silent)
    request = urllib.request.Request(f"http://127.0.0.1:{port}/score", b"{}", {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.read() == b"1"

    told = (line for line in target.services.logs("scorer", follow=True) if line.startswith("token"))
    assert [next(told), next(told)] == ["token *** in init", "token *** in run"]

    script.write_text("import os\ndef init():\n    raise ValueError(os.environ['TOKEN'])\ndef run(data): ...\n")
    with pytest.raises(Refusal) as caught:
        target.services.deploy(spec._replace(key="another"), accept, silent)
    (said,) = caught.value.diagnostics
    assert "ValueError: ***" in said.detail
    assert secret not in said.detail
    assert target.services.observe("scorer").key == "key-of-one"
