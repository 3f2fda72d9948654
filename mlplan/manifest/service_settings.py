"""What a deployment's fields mean to the scoring runtime: the `settings` of its `service.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlplan.json_types import Json
from mlplan.manifest.quantities import seconds, size_in_bytes

_MAX_FILE_BYTES = 16 * 2**20
_SCRIPTS_OWN = {"inputs": False, "outputs": False, "sample": 1.0, "without": (), "keep": "256Mi"}
"""What is kept where the manifest says nothing and the retired system's variable has the script's collectors on."""


def runtime_settings(spec: Mapping[str, Any]) -> dict[str, Json]:
    """The settings that stand in the manifest alone; what is kept of requests is `collect_settings`."""
    found: dict[str, Json] = {
        "timeout_s": seconds(spec["timeout"]),
        "max_body_bytes": size_in_bytes(spec["max_body"]),
    }
    if spec["batch"] is not None:
        found["batch"] = spec["batch"]
    if spec["pickle_allow"]:
        found["pickle_allow"] = list(spec["pickle_allow"])
    return found


def collect_settings(
    spec: Mapping[str, Any], folder: str, env: Mapping[str, str] | None = None
) -> dict[str, Json] | None:
    """What is kept of requests, in a folder; None where nothing is. `env` are the service's variables.

    Every replica writes a file of its own, so that much is held back from what they keep together.
    """
    asked = spec["collect"]
    if asked is None and (env or {}).get("AML_MODEL_DC_STORAGE_ENABLED", "").lower() == "true":
        asked = _SCRIPTS_OWN
    if asked is None:
        return None
    kept, replicas = size_in_bytes(asked["keep"]), spec["replicas"]
    of_a_file = max(1, min(_MAX_FILE_BYTES, kept // (8 * replicas)))
    return {
        "folder": folder,
        "inputs": asked["inputs"],
        "outputs": asked["outputs"],
        "sample": asked["sample"],
        "without": list(asked["without"]),
        "max_bytes": kept - (replicas - 1) * of_a_file,
        "max_file_bytes": of_a_file,
    }
