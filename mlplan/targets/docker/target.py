"""The target `docker`, opened for a project. Its jobs: `jobs.py`; its services: `services.py`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from mlplan.json_types import Json
from mlplan.targets.docker.engine import Engine
from mlplan.targets.docker.jobs import DockerJobs
from mlplan.targets.protocols import Target


def open(home: str, project: str, compute: Mapping[str, Json]) -> Target:
    """What the project's containers are known by is its folder, as a digest. Asks the engine nothing yet."""
    engine = Engine()
    name = hashlib.sha256(os.path.realpath(home).encode()).hexdigest()[:16]
    return Target(DockerJobs(engine, name, os.path.join(home, "docker", "jobs"), compute), None)
