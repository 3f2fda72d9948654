"""From a resolved run to the job that its target executes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.kinds.environment import target_environment
from mlplan.kinds.filling import Filling
from mlplan.kinds.placing import labels_of, resources_of
from mlplan.manifest.quantities import seconds
from mlplan.targets.protocols import JobSpec

if TYPE_CHECKING:
    from mlplan.kinds.protocol import Attempt, Effects
    from mlplan.kinds.run.desired import Facts
    from mlplan.manifest.resolved import Resource
    from mlplan.manifest.specs import RunSpec


def job_spec(resource: Resource, facts: Facts, attempt: Attempt, effects: Effects) -> JobSpec:
    """All that a target needs, references filled in. Code and data are kept first, and given as read-only views."""
    spec: RunSpec = resource.spec
    artifacts = effects.reading.artifacts
    filling = Filling(effects)
    words = ("python", spec["script"], *spec["arguments"]) if spec["script"] else tuple(spec["command"] or ())
    argv = tuple(filling.text(word) for word in words)
    env = {name: filling.text(value) for name, value in spec["env"].items()}
    return JobSpec(
        key=attempt.key,
        name=resource.address.name,
        id=run_id(resource.address.name, attempt),
        code=artifacts.view(artifacts.put_files(facts.code.files).digest),
        argv=argv,
        env=env,
        environment=target_environment(facts.environment, effects.reading.manifest.root),
        mounts=tuple(filling.mounts.values()),
        timeout_s=seconds(spec["timeout"]) if spec["timeout"] else None,
        resources=resources_of(spec["resources"]),
        labels=labels_of(resource, attempt, effects),
        secrets=tuple(filling.secrets.values()),
    )


def run_id(name: str, attempt: Attempt) -> str:
    """What a run's execution is called: its name, the first ten characters of its fingerprint, the attempt."""
    return f"{name}-{attempt.fingerprint[:10]}-{attempt.number}"
