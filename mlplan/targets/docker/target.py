"""The target `docker`, opened for a project. Its jobs: `jobs.py`; its services: `services.py`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from mlplan.json_types import Json
from mlplan.targets.docker import runtime
from mlplan.targets.docker.engine import Engine
from mlplan.targets.docker.generations import remove_volumes, unused_volumes
from mlplan.targets.docker.images import remove_images, unused_images
from mlplan.targets.docker.jobs import DockerJobs
from mlplan.targets.docker.records import bring_home
from mlplan.targets.docker.services import DockerServices
from mlplan.targets.hosting import RefusedLogs
from mlplan.targets.protocols import Target


def open(home: str, project: str, compute: Mapping[str, Json], *, package: str | None = None) -> Target:
    """Jobs and services on the Docker engine, known there by a digest of the project's folder. Asks it nothing yet.

    `package` is the folder of the scoring runtime, by default the one that is installed.
    """
    engine = Engine()
    name = hashlib.sha256(os.path.realpath(home).encode()).hexdigest()[:16]
    folder = os.path.join(home, "docker")
    refused = RefusedLogs(os.path.join(folder, "services"))

    def clear() -> None:
        bring_home(engine, name)
        remove_images(engine, {"home": name})
        remove_images(engine, {"project": project}, nameless=True)
        remove_volumes(engine, {"home": name})
        refused.clear()

    def unused() -> list[str]:
        images = [f"image {image}" for image in unused_images(engine, {"home": name})]
        return [
            *images,
            *(f"volume {volume}" for volume in unused_volumes(engine, {"home": name})),
            *refused.unused(),
        ]

    return Target(
        DockerJobs(engine, name, os.path.join(folder, "jobs"), compute),
        DockerServices(engine, name, os.path.join(folder, "services"), compute, package or runtime.package()),
        clear,
        unused,
    )
