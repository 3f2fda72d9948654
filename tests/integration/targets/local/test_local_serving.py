"""Services on this machine with the real scoring runtime: an entry script, no code at all, and a swap under load.

What goes wrong: `test_local_services.py`.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from on_targets import accept, silent

from mlplan.errors import Refusal
from mlplan.json_types import Json
from mlplan.machine import processes
from mlplan.targets.protocols import Resources, ServedModel, Services, ServiceSpec
from mlplan.targets.registry import open_target

MakeService = Callable[..., ServiceSpec]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = open_target("local", str(tmp_path / "home"), "test", {}).services
    yield opened
    for name in opened.names():
        opened.delete(name)


@pytest.fixture
def service(tmp_path: Path, port: int) -> MakeService:
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights.txt").write_text("3")

    def make(version: str, script: str | None = None, **changes: Any) -> ServiceSpec:
        code = tmp_path / f"code-{version}"
        code.mkdir(exist_ok=True)
        if script is not None:
            (code / "score.py").write_text(script)
        models = (ServedModel("digits", 7, "", str(model), ""),)
        spec = ServiceSpec(
            key=f"key-{version}",
            name="scorer",
            project="test",
            models=models,
            digest=f"digest-{version}",
            code=str(code) if script is not None else None,
            code_name="scripts" if script is not None else "",
            entry_script="score.py" if script is not None else None,
            env={"GREETING": "hello"},
            environment=None,
            host="127.0.0.1",
            port=port,
            replicas=1,
            resources=Resources(cpu=1),
            keys_file=None,
            settings={"timeout_s": 10.0, "max_body_bytes": 1 << 20},
            labels={},
        )
        return spec._replace(**changes)

    return make


def answers(version: str) -> str:
    return f"""
import json, os
def init():
    global weights
    weights = open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "weights.txt")).read()
def run(data):
    return [{version!r}, os.environ["GREETING"], weights, json.loads(data)["n"]]
"""


def ask(url: str, body: Json, key: str = "") -> Json:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        value: Json = json.load(answer)
        return value


def test_an_entry_script_is_served(services: Services, service: MakeService) -> None:
    asked: list[Json] = []
    spec = service("one", answers("one"))

    seen = services.deploy(spec, lambda endpoint: asked.append(ask(endpoint.url + "/score", {"n": 1})), silent)

    assert asked == [["one", "hello", "3", 1]]
    assert (seen.state, seen.key, seen.digest) == ("Healthy", "key-one", "digest-one")
    assert ask(seen.scoring_uri, {"n": 2}) == ["one", "hello", "3", 2]


def test_a_scikit_learn_model_is_served_without_code(
    services: Services, service: MakeService, tmp_path: Path
) -> None:
    joblib = pytest.importorskip("joblib")
    linear_model = pytest.importorskip("sklearn.linear_model")

    folder = tmp_path / "fitted"
    folder.mkdir()
    joblib.dump(
        linear_model.LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]), folder / "model.joblib"
    )
    spec = service("one", models=(ServedModel("digits", 1, "", str(folder), "scikit-learn"),))

    seen = services.deploy(spec, accept, silent)

    answer = ask(seen.scoring_uri, {"data": [[0.0], [3.0]], "method": "predict"})
    assert answer == {"predict": [0, 1]}


def test_an_init_that_fails_shows_why(services: Services, service: MakeService) -> None:
    services.deploy(service("one", answers("one")), accept, silent)
    broken = "def init():\n    raise ValueError('no such weights')\ndef run(data):\n    return 1\n"

    with pytest.raises(Refusal, match="MLP8007") as refused:
        services.deploy(service("two", broken), accept, silent)

    assert "no such weights" in refused.value.diagnostics[0].detail
    assert services.observe("scorer").digest == "digest-one"


def test_keys_are_asked_for(services: Services, service: MakeService, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"primary": "first-key", "secondary": "second-key"}))
    keys.chmod(0o600)
    given: list[str] = []
    spec = service("one", answers("one"), keys_file=str(keys))

    seen = services.deploy(spec, lambda endpoint: given.append(endpoint.key), silent)

    assert given == ["first-key"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        ask(seen.scoring_uri, {"n": 1})
    assert ask(seen.scoring_uri, {"n": 1}, "second-key") == ["one", "hello", "3", 1]
    assert services.observe("scorer").state == "Healthy"


@pytest.mark.parametrize("keep", [True, False], ids=["kept-connections", "one-connection-a-request"])
def test_no_request_is_lost_while_generations_change(services: Services, service: MakeService, keep: bool) -> None:
    first = service("0", answers("0"))
    services.deploy(first, accept, silent)
    stop = threading.Event()
    served: Counter[str] = Counter()
    lost: list[str] = []
    lock = threading.Lock()

    def load() -> None:
        connection: http.client.HTTPConnection | None = None
        while not stop.is_set():
            connection = connection or http.client.HTTPConnection("127.0.0.1", first.port, timeout=10)
            try:
                connection.request("POST", "/score", b'{"n": 1}', {"Content-Type": "application/json"})
                answer = connection.getresponse()
                body = json.loads(answer.read())
                assert answer.status == 200, answer.status
                closing = not keep or (answer.getheader("connection") or "").lower() == "close"
                with lock:
                    served[body[0]] += 1
            except (OSError, http.client.HTTPException, AssertionError) as error:
                with lock:
                    lost.append(repr(error))
                closing = True
            if closing:
                connection.close()
                connection = None

    clients = [threading.Thread(target=load) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        for version in ("1", "2", "3"):
            services.deploy(service(version, answers(version)), accept, silent)
    finally:
        stop.set()
        for client in clients:
            client.join()

    assert lost == []
    assert sorted(served) == ["0", "1", "2", "3"]


def test_replicas_are_processes(services: Services, service: MakeService) -> None:
    one = services.deploy(service("one", answers("one")), accept, silent)
    workers = processes.descendants(int(str(one.detail["pid"])), processes.table())
    two = services.deploy(service("two", answers("two"), replicas=2), accept, silent)
    more = processes.descendants(int(str(two.detail["pid"])), processes.table())

    assert (len(workers), len(more)) == (1, 2)


def test_what_a_killed_supervisor_left_makes_room(services: Services, service: MakeService) -> None:
    seen = services.deploy(service("one", answers("one"), replicas=2), accept, silent)
    os.kill(int(str(seen.detail["pid"])), signal.SIGKILL)

    spec = service("two", answers("two"))
    assert services.in_the_way(spec.name, spec.host, spec.port) == ()
    after = services.deploy(spec, accept, silent)

    assert ask(after.scoring_uri, {"n": 1}) == ["two", "hello", "3", 1]


def test_delete_ends_all_of_its_processes(services: Services, service: MakeService) -> None:
    script = "import os\ndef init():\n    pass\ndef run(data):\n    return [os.getpid(), os.getppid()]\n"
    seen = services.deploy(service("one", script), accept, silent)
    pids = ask(seen.scoring_uri, {})
    assert isinstance(pids, list)

    services.delete("scorer")

    assert [pid for pid in pids if Path(f"/proc/{pid}/cmdline").exists()] == []
    with pytest.raises(OSError, match="refused"):
        ask(seen.scoring_uri, {})
