"""From a resolved run to the job that its target executes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlplan.diagnostics import has_errors
from mlplan.errors import Refusal
from mlplan.kinds.environment import target_environment
from mlplan.kinds.references import attribute_of
from mlplan.manifest.quantities import seconds, size_in_bytes
from mlplan.manifest.references import ATTRIBUTES, as_text, find
from mlplan.targets.protocols import JobSpec, Mount, Resources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from mlplan.diagnostics import Diagnostic
    from mlplan.kinds.protocol import Attempt, Effects
    from mlplan.kinds.run.desired import Facts
    from mlplan.manifest.references import Mention
    from mlplan.manifest.resolved import Resource


def job_spec(resource: Resource, facts: Facts, attempt: Attempt, effects: Effects) -> JobSpec:
    """All that a target needs, references filled in. Code and data are kept first, and given as read-only views."""
    spec = resource.spec
    artifacts = effects.reading.artifacts
    filling = Filling(effects)
    words = ("python", spec["script"], *spec["arguments"]) if spec["script"] else tuple(spec["command"])
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
    )


def run_id(name: str, attempt: Attempt) -> str:
    """What a run's execution is called: its name, the first ten characters of its fingerprint, the attempt."""
    return f"{name}-{attempt.fingerprint[:10]}-{attempt.number}"


class Filling:
    """Fills references in strings, and remembers the folders that the job will read."""

    def __init__(self, effects: Effects) -> None:
        self.effects = effects
        self.mounts: dict[str, Mount] = {}

    def text(self, text: str) -> str:
        """The string with each reference replaced by its value, or by the placeholder of a folder."""
        parts, at = [], 0
        for mention in find(text):
            parts += [text[at : mention.start], self._value(mention)]
            at = mention.end
        return "".join([*parts, text[at:]])

    def _value(self, mention: Mention) -> str:
        if mention.scope == "secret":
            return self.effects.secret_value(mention.name)
        from mlplan.address import Address

        address = Address(mention.scope, mention.name)
        outputs = self.effects.known(address).outputs
        folder = {"path": "digest", "outputs": "outputs"}.get(mention.attribute)
        if folder is None or mention.scope not in ATTRIBUTES:
            return as_text(attribute_of(outputs, mention.attribute))
        digest = str(attribute_of(outputs, folder))
        if digest not in self.mounts:
            view = self.effects.reading.artifacts.view(digest)
            self.mounts[digest] = Mount(view, f"@mlplan:{digest[:16]}@")
        return self.mounts[digest].placeholder + self._inside(address.kind, digest)

    def _inside(self, kind: str, digest: str) -> str:
        """Of a model that is one file or folder, the path is that file's or folder's, not its parent's."""
        if kind != "model":
            return ""
        tops = {entry.path.split("/")[0] for entry in self.effects.reading.artifacts.tree(digest).files}
        return f"/{tops.pop()}" if len(tops) == 1 else ""


def resources_of(spec: Mapping[str, Any]) -> Resources:
    """Limits in cores and bytes."""
    return Resources(
        spec.get("cpu"),
        size_in_bytes(spec["memory"]) if spec.get("memory") else None,
        size_in_bytes(spec["shm"]) if spec.get("shm") else None,
        spec.get("gpus"),
    )


def labels_of(resource: Resource, attempt: Attempt, effects: Effects) -> dict[str, str]:
    """What marks an effect in the world as ours."""
    return {
        "project": effects.reading.manifest.project,
        "address": str(resource.address),
        "fingerprint": attempt.fingerprint,
        "key": attempt.key,
        "root": os.path.basename(effects.reading.manifest.root),
    }


def refuse_errors(diagnostics: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
    """The diagnostics, where none is an error. Raises: Refusal with all of them otherwise."""
    if has_errors(diagnostics):
        raise Refusal(diagnostics)
    return diagnostics
