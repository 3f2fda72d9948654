"""How long the target docker takes for what changes often: `python -m bench.docker`, where an engine answers.

An environment with scikit-learn is built once, then only the code, then only the model of a service change; the
layers below them have to stay as they are. Last, a service is replaced while clients ask it, and the requests that
fail are counted. `MLPLAN_TEST_BASE_IMAGE` names another base image than the public one.
"""

from __future__ import annotations

import http.client
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mlplan.json_types import Json
from mlplan.lock.environment import environment_request, serving_requirements
from mlplan.lock.resolve import resolve
from mlplan.targets.docker import target as docker_target
from mlplan.targets.docker.images import build
from mlplan.targets.docker.runtime import package
from mlplan.targets.docker.service_image import recipe
from mlplan.targets.docker.services import DockerServices
from mlplan.targets.protocols import Environment, Resources, ServedModel, ServiceSpec

BUDGET_S = 3.0
OF_CODE_AND_MODEL = 2
"""How many layers of an image, the last ones, hold code and models."""
PORT = 17099
SCORE = "def init(): pass\n\ndef run(data):\n    return 1\n"


def main() -> int:
    """Prints a table; the exit code is 1 where a budget isn't kept."""
    scratch = Path(tempfile.mkdtemp(prefix="mlplan-bench-"))
    base = os.environ.get("MLPLAN_TEST_BASE_IMAGE")
    compute: dict[str, Json] = {"base_image": base} if base else {}
    target = docker_target.open(str(scratch / "home"), "bench", compute)
    services = target.services
    assert isinstance(services, DockerServices)
    spec = service(scratch)
    lasting: list[tuple[str, float]] = []
    layers: list[list[str]] = []

    def build_it() -> None:
        layers.append(
            build(services._engine, recipe(spec, compute, services._home, package()), silent)["RootFS"]["Layers"]
        )

    try:
        for what, change in (
            ("everything", lambda: None),
            ("the code alone", lambda: write(scratch / "code" / "score.py", SCORE + f"# {time.time()}\n")),
            ("the model alone", lambda: write(scratch / "model" / "model.bin", str(time.time()) + "x" * 10_000_000)),
            ("nothing", lambda: None),
        ):
            lasting.append((what, seconds(change, build_it)))
        failed, asked, took = replaced_under_load(target.services.deploy, spec)
    finally:
        target.services.delete(spec.name)
        target.clear()
        shutil.rmtree(scratch)
    print("| an image, when there changed | built in | budget |\n| --- | --- | --- |")
    for what, took_s in lasting:
        print(f"| {what} | {took_s:.2f} s | {'' if what == 'everything' else f'{BUDGET_S:.0f} s'} |")
    kept = all(built[:-OF_CODE_AND_MODEL] == layers[0][:-OF_CODE_AND_MODEL] for built in layers)
    print(f"\nThe layers of the environment were {'kept' if kept else 'BUILT ANEW'}.")
    print(f"A service replaced under load in {took:.1f} s: {failed} of {asked} requests failed.")
    late = any(took_s > BUDGET_S for what, took_s in lasting if what != "everything")
    return 1 if failed or late or not kept else 0


def service(scratch: Path) -> ServiceSpec:
    """A small service with a common environment."""
    write(scratch / "code" / "score.py", SCORE)
    write(scratch / "model" / "model.bin", "x")
    packages = {"python": "3.11", "packages": ["scikit-learn==1.5.2"]}
    root = str(scratch)
    locked = resolve(environment_request(packages, root=root, extra=serving_requirements()), root=root)
    return ServiceSpec(
        key="one",
        name="bench",
        project="bench",
        models=(ServedModel("model", 1, "", str(scratch / "model"), ""),),
        digest="one",
        code=str(scratch / "code"),
        code_name="code",
        entry_script="score.py",
        env={},
        environment=Environment(locked.digest, locked.python, "\n".join(locked.packages) + "\n"),
        host="127.0.0.1",
        port=PORT,
        replicas=1,
        resources=Resources(),
        keys_file=None,
        settings={},
        labels={"project": "bench", "address": "deployment.bench"},
    )


def replaced_under_load(deploy: Callable[..., object], spec: ServiceSpec) -> tuple[int, int, float]:
    """Requests that failed, all requests, and the seconds that the replacement took."""
    deploy(spec, accept, silent)
    stop, failed, asked = threading.Event(), [0], [0]

    def ask() -> None:
        while not stop.is_set():
            asked[0] += 1
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
            try:
                connection.request("POST", "/score", b"{}")
                failed[0] += connection.getresponse().status != 200
            except OSError:
                failed[0] += 1
            finally:
                connection.close()

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    took = seconds(lambda: None, lambda: deploy(spec._replace(key="two", digest="two"), accept, silent))
    stop.set()
    for client in clients:
        client.join()
    return failed[0], asked[0], took


def seconds(before: Callable[[], object], work: Callable[[], object]) -> float:
    """How long the work takes, after what comes before it."""
    before()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def write(path: Path, text: str) -> None:
    """Writes a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def silent(stage: str, detail: str) -> None:
    """Progress that nobody watches."""


def accept(endpoint: object) -> None:
    """Finds every candidate good."""


if __name__ == "__main__":
    sys.exit(main())
