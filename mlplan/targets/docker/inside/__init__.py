"""Programs that run inside containers: standard library alone, Python 3.9 or newer, nothing of mlplan.

`job.py` is the first process of a job, `service.py` of a service, `door.py` keeps a service's port.
"""

from __future__ import annotations

import os

JOB_NOT_BEGUN = 121
"""The exit code of a container whose script was not started; the same number stands in `job.py`."""

DOOR_GONE = 75
"""The exit code of a replica whose door went away; the same number stands in `service.py`."""


def source(name: str) -> str:
    """The text of one of the programs."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py")
    with open(path, encoding="utf-8") as stream:
        return stream.read()
