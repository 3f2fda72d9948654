"""Services in containers: what the laws of every target don't say."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from on_targets import accept, silent
from this_machine import free_port, wait_until

from mlplan.errors import Refusal
from mlplan.kinds.deployment.keys import rotate, service_keys
from mlplan.targets.docker import records
from mlplan.targets.docker.images import build
from mlplan.targets.docker.service_image import recipe
from mlplan.targets.docker.services import DockerServices
from mlplan.targets.protocols import Endpoint, Resources, ServiceSpec, Target

from .on_docker import H11, docker, home, of, publish_elsewhere

pytestmark = pytest.mark.docker
MakeService = Callable[..., ServiceSpec]
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can kill a container's process from outside")


def ask(port: int, *, key: str = "", timeout_s: float = 20) -> tuple[int, Any]:
    """The status and the answer of the service on this port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        connection.request("POST", "/score", b"{}", headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


def kill_first_process(container: dict[str, Any]) -> None:
    """Kills it from outside, as a crash would. Of a container that doesn't run the number is 0, which means us."""
    process = container["State"]["Pid"]
    assert process > 1
    os.kill(process, signal.SIGKILL)


class Clients:
    """Some clients that ask all the time, some over new connections and some over kept ones."""

    def __init__(self, port: int) -> None:
        self.failures: list[str] = []
        self.answers: list[str] = []
        self._port = port
        self._stop = threading.Event()
        kept, new = self._over_a_kept_connection, self._over_new_connections
        self._threads = [threading.Thread(target=work) for work in (kept, kept, new, new)]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _over_new_connections(self) -> None:
        while not self._stop.is_set():
            self._ask_once(http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)).close()

    def _over_a_kept_connection(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        while not self._stop.is_set():
            self._ask_once(connection)

    def _ask_once(self, connection: http.client.HTTPConnection) -> http.client.HTTPConnection:
        try:
            connection.request("POST", "/score", b"{}")
            answer = connection.getresponse()
            self._note(answer.status, json.loads(answer.read()))
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(repr(error))
            connection.close()
        return connection

    def _note(self, status: int, answer: str) -> None:
        if status == 200:
            self.answers.append(answer)
        else:
            self.failures.append(f"{status} {answer}")


def test_no_request_is_lost_when_a_service_is_replaced(target: Target, service: MakeService, port: int) -> None:
    target.services.deploy(service("one"), accept, silent)
    with Clients(port) as clients:
        wait_until(lambda: len(clients.answers) > 50)
        target.services.deploy(service("two"), accept, silent)
        asked = len(clients.answers)
        wait_until(lambda: len(clients.answers) > asked + 50)

    assert clients.failures == []
    assert (clients.answers[0], clients.answers[-1]) == ("one", "two")


def test_replicas_share_the_work_and_one_can_fail(target: Target, service: MakeService, port: int) -> None:
    limits = Resources(cpu=0.5, memory_bytes=256 << 20)
    seen = target.services.deploy(service(replicas=2, resources=limits), accept, silent)
    assert seen.state == "Healthy"
    first, second = of(target, role="service")
    assert first["HostConfig"]["Memory"] == 256 << 20

    docker("stop", first["Id"])

    seen = target.services.observe("scorer")
    assert (seen.state, seen.detail["problem"]) == ("Unhealthy", "of its 2 replicas 1 run")
    assert ask(port) == (200, "one")
    seen = target.services.deploy(service(replicas=2, resources=limits), accept, silent)
    assert seen.state == "Healthy"
    assert len(of(target, role="service")) == 2
    assert second["Id"] not in [c["Id"] for c in of(target, role="service")]
    assert {line[:3] for line in target.services.logs("scorer", follow=False)} == {"[1]", "[2]"}


@as_root
def test_the_engine_starts_again_what_dies(target: Target, service: MakeService, port: int) -> None:
    target.services.deploy(service(), accept, silent)

    (container,) = of(target, role="service")
    kill_first_process(container)
    wait_until(lambda: of(target, role="service")[0]["RestartCount"] == 1)
    wait_until(lambda: target.services.observe("scorer").state == "Healthy")

    (door,) = of(target, role="door")
    kill_first_process(door)
    wait_until(lambda: of(target, role="door")[0]["RestartCount"] == 1)
    wait_until(lambda: target.services.observe("scorer").state == "Healthy")
    assert ask(port) == (200, "one")


def test_keys_come_from_a_file_and_can_be_rotated(
    target: Target, service: MakeService, port: int, tmp_path: Path
) -> None:
    path = service_keys(str(tmp_path / "home"), "scorer")
    keys = json.loads(Path(path).read_text())
    asked: list[Endpoint] = []

    target.services.deploy(service(keys_file=path), asked.append, silent)

    assert asked[0].key == keys["primary"]
    assert ask(port)[0] == 401
    assert ask(port, key=keys["secondary"]) == (200, "one")
    rotated = rotate(path, "primary")
    wait_until(lambda: ask(port, key=rotated["primary"])[0] == 200)
    assert ask(port, key=keys["primary"])[0] == 401
    (seen,) = of(target, role="service")
    known = json.dumps(seen) + docker("history", "--no-trunc", seen["Image"])
    assert not [key for key in {**keys, **rotated}.values() if key in known]


def test_variables_stand_in_nothing_that_is_shown_of_a_container(
    target: Target, service: MakeService, port: int
) -> None:
    target.services.deploy(service(env={"SECRET": "s3cret-value"}), accept, silent)

    (seen,) = of(target, role="service")
    assert "s3cret" not in json.dumps(seen) + docker("history", "--no-trunc", seen["Image"])
    assert "loading s3cret-value" in list(target.services.logs("scorer", follow=False))


def test_a_container_can_not_be_altered_from_inside(target: Target, service: MakeService, port: int) -> None:
    target.services.deploy(service(), accept, silent)
    (seen,) = of(target, role="service")

    with pytest.raises(subprocess.CalledProcessError):
        docker("exec", "--user", "0", seen["Id"], "touch", "/var/azureml-app/scoring/score.py")


def test_a_changed_model_or_script_builds_no_environment(
    target: Target, service: MakeService, tmp_path: Path
) -> None:
    services = target.services
    assert isinstance(services, DockerServices)
    spec = service(environment=H11)
    place = services._compute, services._home, services._package

    def layers() -> list[str]:
        return list(build(services._engine, recipe(spec, *place), silent)["RootFS"]["Layers"])

    before = layers()
    for changed, above in (("model/model.txt", 1), ("scoring/score.py", 2)):  # models lie above the code
        (tmp_path / changed).write_text(f"def init(): ...\n\ndef run(data): ...  # {tmp_path}\n")
        after = layers()
        assert len(before) == len(after)
        assert before[:-above] == after[:-above]
        before = after


def test_what_somebody_alters_is_named_and_mended(
    target: Target, service: MakeService, docker_base: str, tmp_path: Path
) -> None:
    limits = Resources(memory_bytes=256 << 20)
    spec = service(resources=limits)
    (tmp_path / "scoring" / "ours.txt").write_text(str(tmp_path))  # an image that no other test has
    target.services.deploy(spec, accept, silent)
    (seen,) = of(target, role="service")
    assert "edited" not in target.services.observe("scorer").detail

    docker("update", "--memory", "300m", "--memory-swap", "300m", "--cpus", "0.5", seen["Id"])
    tag = seen["Config"]["Labels"]["dev.mlplan.image"]
    docker("tag", docker_base, tag)
    edited = target.services.observe("scorer").detail["edited"]

    assert isinstance(edited, list)
    assert [entry[:2] for entry in edited] == [
        ["cpu limit", "edited"],
        ["memory limit", "edited"],
        [f"image {tag}", "re-tagged"],
    ]
    assert [entry[2:] for entry in edited[:2]] == [["none", "0.5"], ["256Mi", "300Mi"]]
    target.services.deploy(spec, accept, silent)
    assert "edited" not in target.services.observe("scorer").detail


def test_what_is_stopped_or_removed_is_named_and_mended(target: Target, service: MakeService, port: int) -> None:
    target.services.deploy(service(), accept, silent)

    docker("stop", of(target, role="service")[0]["Id"])
    seen = target.services.observe("scorer")
    assert (seen.state, seen.detail["problem"]) == ("Failed", "its container was stopped")
    assert target.services.deploy(service(), accept, silent).state == "Healthy"

    docker("rm", "-f", of(target, role="service")[0]["Id"])
    seen = target.services.observe("scorer")
    assert (seen.state, seen.detail["problem"]) == ("Absent", "its containers were removed")
    assert target.services.deploy(service(), accept, silent).state == "Healthy"

    docker("rm", "-f", of(target, role="door")[0]["Id"])
    seen = target.services.observe("scorer")
    assert (seen.state, seen.detail["problem"]) == ("Failed", "the container with its port was removed")
    assert target.services.deploy(service(), accept, silent).state == "Healthy"
    assert ask(port) == (200, "one")


def test_a_restart_policy_that_somebody_changed_is_named_and_mended(
    target: Target, service: MakeService, port: int
) -> None:
    target.services.deploy(service(), accept, silent)
    (door,) = of(target, role="door")
    docker("update", "--restart", "no", of(target, role="service")[0]["Id"], door["Id"])

    seen = target.services.observe("scorer")
    assert seen.state == "Healthy"
    assert seen.detail["edited"] == [
        ["restart policy", "changed", "unless-stopped", "no"],
        ["restart policy of its port", "changed", "unless-stopped", "no"],
    ]
    docker("stop", of(target, role="service")[0]["Id"])
    assert target.services.observe("scorer").detail["problem"] == "its container was stopped"

    seen = target.services.deploy(service(), accept, silent)
    assert (seen.state, "edited" in seen.detail) == ("Healthy", False)
    assert of(target, role="door")[0]["Id"] == door["Id"]  # and clients noticed nothing of that
    assert ask(port) == (200, "one")


def test_a_service_whose_workers_die_says_why(target: Target, service: MakeService, port: int) -> None:
    script = "import os\ndef init(): ...\ndef run(data):\n    os._exit(7)\n"
    target.services.deploy(service(script=script), accept, silent)
    (container,) = of(target, role="service")
    docker("update", "--restart", "no", container["Id"])  # else the engine starts it again and again

    def has_given_up() -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            ask(port, timeout_s=1)  # nobody answers in the end, and the door stays open
        return target.services.observe("scorer").state == "Failed"

    wait_until(has_given_up)
    problem = str(target.services.observe("scorer").detail["problem"])
    assert problem.startswith("5 workers ended one after the other; the last: worker ")
    assert problem.endswith("ended with exit code 7")


def test_the_log_of_all_replicas_is_followed(target: Target, service: MakeService) -> None:
    target.services.deploy(service(replicas=2), accept, silent)
    lines = target.services.logs("scorer", follow=True)
    told: set[str] = set()
    while not {"[1] loading ", "[2] loading "} <= told:
        told.add(next(lines))
    target.services.delete("scorer")
    list(lines)


@pytest.fixture
def home_of_records(target: Target, service: MakeService, port: int, tmp_path: Path) -> Path:
    """Where the records of a service come home, which has kept one of a request by now."""
    folder = tmp_path / "home" / "collected" / "scorer"
    plan = {"folder": str(folder), "max_bytes": 1 << 20, "max_file_bytes": 1 << 16}
    target.services.deploy(service(collect=plan), accept, silent)
    assert ask(port) == (200, "one")
    wait_until(lambda: len(list(target.services.kept("scorer"))) == 1)
    return folder


def test_records_that_no_container_uses_come_home_by_gc(target: Target, home_of_records: Path) -> None:
    docker("rm", "-f", of(target, role="service")[0]["Id"])
    assert len(list(target.services.kept("scorer"))) == 1
    assert [name for name in target.unused() if name.endswith("-records")]
    target.clear()

    assert not [name for name in target.unused() if name.endswith("-records")]
    assert len(list(home_of_records.rglob("*.jsonl"))) == 1
    assert list(target.services.kept("scorer")) == []


def test_a_port_that_somebody_changed_is_named_and_mended(
    target: Target, service: MakeService, port: int, docker_base: str
) -> None:
    target.services.deploy(service(), accept, silent)
    other = free_port()
    publish_elsewhere(of(target, role="door")[0], docker_base, other)

    seen = target.services.observe("scorer")
    assert (seen.state, seen.detail["problem"]) == ("Failed", f"its port was changed to {other} of 127.0.0.1")
    assert target.services.deploy(service(), accept, silent).state == "Healthy"
    assert ask(port) == (200, "one")
    assert [c["NetworkSettings"]["Ports"]["5001/tcp"][0]["HostPort"] for c in of(target, role="door")] == [str(port)]


def test_a_script_that_can_not_begin_shows_its_last_words(
    target: Target, service: MakeService, port: int, tmp_path: Path
) -> None:
    spec = service()
    (tmp_path / "scoring" / "score.py").write_text(
        "def init():\n    raise ValueError('no weights')\n\ndef run(data): ...\n"
    )

    with pytest.raises(Refusal, match=r"(?s)MLP8007.*its init\(\) failed.*no weights"):
        target.services.deploy(spec, accept, silent)

    assert of(target) == []
    assert target.services.names() == []


def test_too_little_memory_is_named(target: Target, service: MakeService, tmp_path: Path) -> None:
    spec = service(resources=Resources(memory_bytes=96 << 20))
    (tmp_path / "scoring" / "score.py").write_text("def init():\n    bytearray(500 << 20)\n\ndef run(data): ...\n")

    with pytest.raises(Refusal, match=r"MLP8007.*it needs more memory than `resources.memory` allows"):
        target.services.deploy(spec, accept, silent)


class Killed(BaseException):
    """The process ends here: nothing is cleaned up."""


def die(*_: object) -> None:
    raise Killed


def deploy_and_die(target: Target, spec: ServiceSpec, step: str) -> None:
    """A deploy that is killed just before a step of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DockerServices, "_remove_generations", lambda *_: None)
        if step != "verify":
            patch.setattr(DockerServices, step, die)
        with pytest.raises(Killed):
            target.services.deploy(spec, die if step == "verify" else accept, silent)


def test_records_come_home_once_where_a_delete_died(target: Target, home_of_records: Path) -> None:
    services = target.services
    assert isinstance(services, DockerServices)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "fetch", die)
        with pytest.raises(Killed):
            services.delete("scorer")
    assert len(list(services.kept("scorer"))) == 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(services._engine.client.api), "remove_volume", die)
        with pytest.raises(Killed):
            services.delete("scorer")
    services.delete("scorer")

    assert len(list(home_of_records.rglob("*.jsonl"))) == 1
    assert list(services.kept("scorer")) == []
    assert docker("volume", "ls", "-q", *home(target)) == ""


def test_what_a_deploy_that_died_left_is_cleared(target: Target, service: MakeService, port: int) -> None:
    target.services.deploy(service("one"), accept, silent)
    kept = of(target, role="service")[0]["Id"]

    deploy_and_die(target, service("two"), "verify")
    assert len(of(target, role="service")) == 2
    assert target.services.observe("scorer").key == "key-of-one"
    assert ask(port) == (200, "one")

    target.services.deploy(service("three"), accept, silent)

    (left,) = of(target, role="service")
    assert left["Id"] != kept
    assert ask(port) == (200, "three")


@pytest.mark.parametrize("step", ["_tell", "_clear"])
def test_a_deploy_that_died_while_it_took_over_is_completed(
    step: str, target: Target, service: MakeService, port: int
) -> None:
    target.services.deploy(service("one"), accept, silent)
    deploy_and_die(target, service("two"), step)
    assert ask(port)[1] in ("one", "two")
    digests: list[str] = []

    def verify(endpoint: Endpoint) -> None:
        with urllib.request.urlopen(endpoint.url, timeout=20) as answer:
            digests.append(answer.headers["x-mlplan-digest"])

    seen = target.services.deploy(service("two"), verify, silent)

    assert (seen.state, seen.key, seen.digest) == ("Healthy", "key-of-two", "digest-of-two")
    assert digests == ["digest-of-two"]
    assert ask(port) == (200, "two")
    assert len(of(target, role="service")) == 1


def test_an_image_serves_without_mlplan(target: Target, service: MakeService, port: int) -> None:
    target.services.deploy(service(), accept, silent)
    (seen,) = of(target, role="service")
    name = docker("run", "--detach", "--publish", "127.0.0.1::5001", "--env", "ANSWER=by hand", seen["Image"])
    try:
        published = int(docker("port", name, "5001").rpartition(":")[2])

        def answers() -> bool:
            try:
                return ask(published) == (200, "by hand")
            except OSError:
                return False

        wait_until(answers)
    finally:
        docker("rm", "-f", "-v", name)


def test_delete_leaves_no_container_volume_or_image(target: Target, service: MakeService, tmp_path: Path) -> None:
    spec = service()
    (tmp_path / "scoring" / "ours.txt").write_text(str(tmp_path))
    target.services.deploy(spec, accept, silent)
    (seen,) = of(target, role="service")
    assert len(docker("volume", "ls", "-q", *home(target)).split()) == 3
    assert len([mount for mount in seen["Mounts"] if mount["Type"] == "volume"]) == 3

    target.services.delete("scorer")

    assert of(target) == []
    assert docker("image", "ls", "-aq", *home(target)) == ""
    assert docker("volume", "ls", "-q", *home(target)) == ""
