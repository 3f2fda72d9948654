"""What a target is told about a job or a service beside the thing itself: its limits, its labels."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlplan.diagnostics import has_errors
from mlplan.errors import Refusal
from mlplan.manifest.quantities import size_in_bytes
from mlplan.targets.protocols import Resources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from mlplan.diagnostics import Diagnostic
    from mlplan.kinds.protocol import Attempt, Effects
    from mlplan.manifest.resolved import Resource


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
        "revision": effects.revision,
        "root": os.path.basename(effects.reading.manifest.root),
    }


def under_root(path: str, effects: Effects) -> str:
    """The absolute path of a file that the manifest names."""
    return os.path.join(effects.reading.manifest.root, path)


def refuse_errors(diagnostics: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
    """The diagnostics, where none is an error. Raises: Refusal with all of them otherwise."""
    if has_errors(diagnostics):
        raise Refusal(diagnostics)
    return diagnostics
