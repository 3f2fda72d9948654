"""What the tests of every target share: specs of small jobs and services, who watches, who judges, who cleans up."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any

from mlplan.targets.protocols import Endpoint, JobSpec, Resources, ServedModel, ServiceSpec, Target


def silent(stage: str, detail: str) -> None:
    """Progress that nobody watches."""


def accept(endpoint: Endpoint) -> None:
    """Finds every candidate good."""


def digest_at(url: str) -> str:
    """What a service says that it serves."""
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.headers["x-mlplan-digest"])


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


def remove_all(target: Target) -> None:
    """Ends and removes whatever a test left on a target."""
    for key in list(target.jobs.keys()):
        target.jobs.cancel(key, grace_s=0)
        target.jobs.remove(key)
    for name in target.services.names():
        target.services.delete(name)
    target.clear()
