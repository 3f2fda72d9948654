"""Specs of small jobs and services, as the tests of the targets change them, and free ports."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from mlplan.targets.protocols import JobSpec, Resources, ServedModel, ServiceSpec


def job_spec(folder: Path, script: str, **changes: Any) -> JobSpec:
    """A job that runs a script, which is written below the folder."""
    code = folder / "code"
    code.mkdir(exist_ok=True)
    (code / "train.py").write_text(script)
    spec = JobSpec(
        key="key-1",
        name="train",
        id=f"train-{changes.get('key', 'key-1')}",
        code=str(code),
        argv=("python", "train.py"),
        env={},
        environment=None,
        mounts=(),
        timeout_s=None,
        resources=Resources(),
        labels={"project": "test", "address": "run.train"},
    )
    return spec._replace(**changes)


def service_spec(folder: Path, script: str, *, key: str, digest: str, port: int, **changes: Any) -> ServiceSpec:
    """A service of a script and of a model, which are written below the folder."""
    model, code = folder / "model", folder / "scoring"
    model.mkdir(exist_ok=True)
    (model / "model.txt").write_text("weights")
    code.mkdir(exist_ok=True)
    (code / "score.py").write_text(script)
    spec = ServiceSpec(
        key=key,
        name="scorer",
        project="test",
        models=(ServedModel("model", 1, "", str(model), ""),),
        digest=digest,
        code=str(code),
        code_name="scoring",
        entry_script="score.py",
        env={},
        environment=None,
        host="127.0.0.1",
        port=port,
        replicas=1,
        resources=Resources(),
        keys_file=None,
        settings={},
        labels={"project": "test", "address": "deployment.scorer"},
    )
    return spec._replace(**changes)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
