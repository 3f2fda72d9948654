"""What can go wrong with services on this machine, tried with a stand-in for the runtime that misbehaves on demand.

The laws of all targets: `tests/contract/`. With the real runtime: `test_local_serving.py`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from on_targets import accept, digest_at, silent
from this_machine import listens, wait_until

import mlplan.targets.local.services
from mlplan.errors import Refusal
from mlplan.machine import processes
from mlplan.targets.local.services import LocalServices
from mlplan.targets.protocols import ServiceSpec
from mlplan.world import ObservedService

MakeService = Callable[..., ServiceSpec]


def process_of(seen: ObservedService) -> processes.Identity:
    identity = processes.identify(int(str(seen.detail["pid"])))
    assert identity is not None
    return identity


def generation_folders(services: LocalServices) -> list[str]:
    folder = Path(services._services) / "scorer"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def deploying(services: LocalServices, spec: ServiceSpec, verify: str) -> str:
    """A program that deploys; `verify` is the body of what asks the candidate."""
    return f"""
import os, signal, time
from mlplan.targets.local.services import LocalServices
from mlplan.targets.protocols import Resources, ServedModel, ServiceSpec
def verify(endpoint):
    {verify}
LocalServices({services._services!r}, {services._runtime!r}).deploy({spec!r}, verify, lambda stage, detail: None)
"""


def test_a_killed_service_is_told_and_mended(services: LocalServices, service: MakeService, port: int) -> None:
    before = services.deploy(service("one"), accept, silent)
    os.kill(int(str(before.detail["pid"])), signal.SIGKILL)
    wait_until(lambda: services.observe("scorer").state == "Failed")

    seen = services.observe("scorer")
    assert (seen.state, seen.key, seen.detail["problem"]) == ("Failed", "key-one", "its process is gone")

    after = services.deploy(service("one"), accept, silent)
    assert (after.state, after.digest) == ("Healthy", "one")
    assert digest_at(f"http://127.0.0.1:{port}/") == "one"
    assert len(generation_folders(services)) == 1


def test_a_killed_service_is_deleted_with_what_it_left(services: LocalServices, service: MakeService) -> None:
    seen = services.deploy(service("one"), accept, silent)
    os.kill(int(str(seen.detail["pid"])), signal.SIGKILL)

    services.delete("scorer")

    assert services.observe("scorer").state == "Absent"
    assert services.names() == []


def test_a_frozen_service_is_unhealthy(services: LocalServices, service: MakeService) -> None:
    seen = services.deploy(service("one"), accept, silent)
    os.kill(int(str(seen.detail["pid"])), signal.SIGSTOP)

    frozen = services.observe("scorer")

    assert frozen.state == "Unhealthy"
    assert frozen.detail["problem"]
    services.delete("scorer")
    assert services.observe("scorer").state == "Absent"


def test_a_frozen_service_is_replaced(services: LocalServices, service: MakeService, port: int) -> None:
    seen = services.deploy(service("one"), accept, silent)
    frozen = process_of(seen)
    os.kill(frozen.pid, signal.SIGSTOP)

    after = services.deploy(service("two"), accept, silent)

    assert (after.state, after.digest) == ("Healthy", "two")
    assert not processes.is_alive(frozen)
    assert digest_at(f"http://127.0.0.1:{port}/") == "two"


def test_a_service_that_dies_while_its_successor_starts_is_replaced(
    services: LocalServices, service: MakeService, port: int
) -> None:
    seen = services.deploy(service("one"), accept, silent)

    after = services.deploy(service("two"), lambda _: os.kill(int(str(seen.detail["pid"])), signal.SIGKILL), silent)

    assert (after.state, after.digest) == ("Healthy", "two")
    assert digest_at(f"http://127.0.0.1:{port}/") == "two"


def test_an_altered_model_file_is_told_and_mended(services: LocalServices, service: MakeService) -> None:
    before = services.deploy(service("one"), accept, silent)
    (model,) = Path(services._services).rglob("model.txt")
    model.write_text("other weights")

    seen = services.observe("scorer")
    assert seen.detail["altered"] == ["app/azureml-models/model/1/model.txt"]

    after = services.deploy(service("one"), accept, silent)
    assert "altered" not in after.detail
    assert after.detail["pid"] != before.detail["pid"]
    (model,) = Path(services._services).rglob("model.txt")
    assert model.read_text() == "weights"


def test_a_removed_model_file_is_told(services: LocalServices, service: MakeService) -> None:
    services.deploy(service("one"), accept, silent)
    (model,) = Path(services._services).rglob("model.txt")
    model.unlink()

    assert services.observe("scorer").detail["altered"] == ["app/azureml-models/model/1/model.txt"]


def test_a_deploy_that_was_killed_is_cleared_by_the_next(
    services: LocalServices, service: MakeService, port: int
) -> None:
    old = services.deploy(service("one"), accept, silent)
    program = deploying(services, service("two"), "os.kill(os.getpid(), signal.SIGKILL)")
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL
    assert generation_folders(services) == ["key-one", "key-two"]

    seen = services.observe("scorer")
    assert (seen.state, seen.key, seen.digest) == ("Healthy", "key-one", "one")
    assert process_of(seen) == process_of(old)

    third = services.deploy(service("three"), accept, silent)
    assert (third.state, third.digest) == ("Healthy", "three")
    assert generation_folders(services) == ["key-three"]
    running = processes.marked("MLPLAN_SERVICE", str(Path(services._services) / "scorer" / "key-two"))
    assert running == set()


def test_a_first_deploy_that_was_killed_is_seen_and_adopted_or_cleared(
    services: LocalServices, service: MakeService
) -> None:
    program = deploying(services, service("one"), "os.kill(os.getpid(), signal.SIGKILL)")
    subprocess.run([sys.executable, "-c", program], check=False)

    assert services.names() == ["scorer"]
    seen = services.observe("scorer")
    assert (seen.state, seen.key) == ("Transitioning", "key-one")
    leftover = process_of(seen)

    assert services.deploy(service("one"), accept, silent).state == "Healthy"
    assert not processes.is_alive(leftover)
    assert generation_folders(services) == ["key-one"]


def test_a_leftover_is_cleared_by_delete(services: LocalServices, service: MakeService) -> None:
    program = deploying(services, service("one"), "os.kill(os.getpid(), signal.SIGKILL)")
    subprocess.run([sys.executable, "-c", program], check=False)
    leftover = process_of(services.observe("scorer"))

    services.delete("scorer")

    assert not processes.is_alive(leftover)
    assert services.names() == []


def test_a_runtime_that_was_started_and_not_noted_is_cleared(services: LocalServices, service: MakeService) -> None:
    program = deploying(services, service("one"), "os.kill(os.getpid(), signal.SIGKILL)")
    subprocess.run([sys.executable, "-c", program], check=False)
    leftover = process_of(services.observe("scorer"))
    (Path(services._services) / "scorer" / "key-one" / "process.json").unlink()

    services.delete("scorer")

    assert not processes.is_alive(leftover)


def test_a_service_that_went_live_unnoted_is_adopted(services: LocalServices, service: MakeService) -> None:
    before = services.deploy(service("one"), accept, silent)
    (Path(services._services) / "scorer" / "key-one" / "live.json").unlink()

    seen = services.observe("scorer")
    assert (seen.state, seen.key) == ("Healthy", "key-one")
    after = services.deploy(service("one"), accept, silent)
    assert process_of(after) == process_of(before)
    assert (after.state, after.key, after.digest) == ("Healthy", "key-one", "one")


def test_a_change_over_that_was_cut_off_is_finished_by_the_next(
    services: LocalServices, service: MakeService, port: int
) -> None:
    services.deploy(service("one"), accept, silent)
    services.deploy(service("two"), accept, silent)
    folder = Path(services._services) / "scorer"
    (folder / "key-two" / "live.json").unlink()
    (folder / "key-one").mkdir()  # its removal was cut off
    (folder / "key-one" / "live.json").write_text("{}")

    assert services.observe("scorer").digest == "two"
    services.deploy(service("two"), accept, silent)

    assert generation_folders(services) == ["key-two"]
    assert digest_at(f"http://127.0.0.1:{port}/") == "two"


def test_a_candidate_whose_init_fails_shows_its_log(services: LocalServices, service: MakeService, port: int) -> None:
    services.deploy(service("one"), accept, silent)

    with pytest.raises(Refusal) as refused:
        services.deploy(service("two", settings={"fail": 0.01}), accept, silent)

    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code == "MLP8007"
    assert "its init() failed" in diagnostic.detail
    assert "    ValueError: no such weights" in diagnostic.detail
    assert digest_at(f"http://127.0.0.1:{port}/") == "one"
    assert generation_folders(services) == ["key-one"]


def test_secrets_in_the_last_words_of_a_candidate_are_masked(services: LocalServices, service: MakeService) -> None:
    with pytest.raises(Refusal) as refused:
        services.deploy(service("one", settings={"fail": 0.01}, secrets=("no such weights",)), accept, silent)

    assert "    ValueError: ***" in refused.value.diagnostics[0].detail
    assert processes.marked_below("MLPLAN_SERVICE", services._services) == set()


def test_what_masks_a_service_ends_with_it(services: LocalServices, service: MakeService) -> None:
    seen = services.deploy(service("one", secrets=("canary",)), accept, silent)
    masks = processes.marked_below("MLPLAN_SERVICE", services._services) - {process_of(seen).pid}
    assert len(masks) == 1

    os.kill(process_of(seen).pid, signal.SIGKILL)
    wait_until(lambda: not processes.marked_below("MLPLAN_SERVICE", services._services))
    services.deploy(service("one", secrets=("canary",)), accept, silent)
    services.delete("scorer")
    assert processes.marked_below("MLPLAN_SERVICE", services._services) == set()


def test_a_candidate_that_never_gets_ready_is_given_up(
    services: LocalServices, service: MakeService, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlplan.targets.local.services, "_START_S", 0.5)

    with pytest.raises(Refusal, match="was not ready after"):
        services.deploy(service("one", settings={"stuck": True}), accept, silent)

    assert generation_folders(services) == []
    assert services.observe("scorer").state == "Absent"


def test_a_candidate_that_dies_while_going_live_leaves_what_served(
    services: LocalServices, service: MakeService, port: int
) -> None:
    services.deploy(service("one"), accept, silent)

    with pytest.raises(Refusal, match="MLP8008"):
        services.deploy(service("two", settings={"no_go_live": True}), accept, silent)

    assert digest_at(f"http://127.0.0.1:{port}/") == "one"
    assert services.observe("scorer").key == "key-one"


def test_a_port_taken_while_the_candidate_starts_is_told(
    services: LocalServices, service: MakeService, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlplan.targets.local.services, "is_free", lambda host, port: True)

    with socket.create_server(("127.0.0.1", port)), pytest.raises(Refusal, match="MLP8002"):
        services.deploy(service("one"), accept, silent)

    assert generation_folders(services) == []


def test_another_program_on_the_port_of_a_dead_service_is_told(
    services: LocalServices, service: MakeService, port: int
) -> None:
    seen = services.deploy(service("one"), accept, silent)
    os.kill(int(str(seen.detail["pid"])), signal.SIGKILL)
    wait_until(lambda: not listens(port))

    with socket.create_server(("127.0.0.1", port)):
        (found,) = services.in_the_way("scorer", "127.0.0.1", port)
        assert found.code == "MLP8002"
        assert services.observe("scorer").state == "Failed"


def test_variables_reach_the_runtime_and_are_written_nowhere(services: LocalServices, service: MakeService) -> None:
    seen = services.deploy(service("one", env={"TOKEN": "hunter2"}), accept, silent)

    environment = Path(f"/proc/{seen.detail['pid']}/environ").read_bytes().split(b"\0")
    assert b"TOKEN=hunter2" in environment
    files = (path for path in Path(services._services).rglob("*") if path.is_file())
    assert [path for path in files if b"hunter2" in path.read_bytes()] == []


def test_a_folder_deeper_than_a_sockets_path_may_be(
    tmp_path: Path, services: LocalServices, service: MakeService, port: int
) -> None:
    deep = tmp_path / ("deep-" * 20) / ("er-" * 20) / "services"
    below = LocalServices(str(deep), services._runtime)

    assert below.deploy(service("one"), accept, silent).state == "Healthy"
    assert below.deploy(service("two"), accept, silent).digest == "two"
    below.delete("scorer")
    assert not listens(port)


def test_two_deploys_at_once_leave_one_service(services: LocalServices, service: MakeService, port: int) -> None:
    programs = [deploying(services, service(digest), "pass") for digest in ("one", "two")]
    both = [subprocess.Popen([sys.executable, "-c", program]) for program in programs]
    assert [process.wait() for process in both] == [0, 0]

    seen = services.observe("scorer")
    assert seen.state == "Healthy"
    assert generation_folders(services) == [seen.key]
    assert digest_at(f"http://127.0.0.1:{port}/") == seen.digest


def test_observe_imports_little(services: LocalServices, service: MakeService) -> None:
    services.deploy(service("one"), accept, silent)
    program = f"""
import sys
from mlplan.targets.local.services import LocalServices
state = LocalServices({services._services!r}, "").observe("scorer").state
heavy = {{"dataclasses", "pathlib", "subprocess", "asyncio", "http.client", "psutil", "shutil", "tempfile", "ssl"}}
print(state, sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "Healthy []\n"


def test_a_folder_that_cannot_be_laid_out_is_a_refusal(services: LocalServices, service: MakeService) -> None:
    with pytest.raises(Refusal, match="MLP8007"):
        services.deploy(service("one", code="/no/such/folder", code_name="scripts"), accept, silent)

    assert generation_folders(services) == []
