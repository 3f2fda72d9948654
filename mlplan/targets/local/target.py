"""The target `local`, opened for a project. Its jobs: `jobs.py`; its services: `services.py`."""

from __future__ import annotations

import os
from collections.abc import Mapping

import mlplan
from mlplan.json_types import Json
from mlplan.targets.hosting import RefusedLogs
from mlplan.targets.local.jobs import LocalJobs
from mlplan.targets.local.services import LocalServices
from mlplan.targets.protocols import Target


def open(home: str, project: str, compute: Mapping[str, Json]) -> Target:
    """Jobs below `<home>/runs`, services below `<home>/services`. Makes nothing until something is started."""
    runtime = os.path.join(os.path.dirname(os.path.abspath(mlplan.__file__)), "serving")
    services = os.path.join(home, "services")
    refused = RefusedLogs(services)
    return Target(
        LocalJobs(os.path.join(home, "runs")), LocalServices(services, runtime), refused.clear, refused.unused
    )
