"""What the tests of the target docker share."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from mlplan.targets.docker.jobs import DockerJobs
from mlplan.targets.protocols import Environment, Target

H11 = Environment(
    "digest-of-h11",
    "3.11",
    "h11==0.16.0 --hash=sha256:4e35b956cf45792e4caa5885e69fba00bdbc6ffafbfa020300e549b208ee5ff1"
    " --hash=sha256:63cf8bbe7522de3bf65932fda1d9c2772064ffb3dae62d55932da54b31cb6c86\n",
)
"""An environment with one small package."""


def docker(*words: str, check: bool = True) -> str:
    """What the docker command prints."""
    nobody = subprocess.DEVNULL
    done = subprocess.run(["docker", *words], stdin=nobody, capture_output=True, text=True, check=check)
    return done.stdout.strip()


def inspect(*names: str) -> list[dict[str, Any]]:
    """What the engine tells of containers or images."""
    found: list[dict[str, Any]] = json.loads(docker("inspect", *names))
    return found


def of(target: Target, **labels: str) -> list[dict[str, Any]]:
    """The containers of a target's project with these labels, running or not, the oldest first."""
    words = [word for name, value in labels.items() for word in ("--filter", f"label=dev.mlplan.{name}={value}")]
    names = docker("ps", "--all", "--quiet", *home(target), *words).split()
    return sorted(inspect(*names), key=lambda c: str(c["Created"])) if names else []


def publish_elsewhere(door: dict[str, Any], base: str, port: int) -> None:
    """Puts another container in a door's place, published on another port: what changing a port comes to."""
    docker("rm", "-f", door["Id"])
    labels = [f"--label={name}={value}" for name, value in door["Config"]["Labels"].items()]
    docker("run", "--detach", "--publish", f"127.0.0.1:{port}:5001", *labels, base, "sleep", "600")


def home(target: Target) -> tuple[str, str]:
    """What selects the things of a target's project, on docker's command line."""
    assert isinstance(target.jobs, DockerJobs)
    return "--filter", f"label=dev.mlplan.home={target.jobs._home}"
