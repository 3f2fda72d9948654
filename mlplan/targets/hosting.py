"""What targets that host services by the scoring runtime share: its configuration, and words about a candidate."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlplan.machine.files import read_json
from mlplan.machine.variables import thread_count
from mlplan.targets.protocols import Endpoint

if TYPE_CHECKING:
    from mlplan.json_types import Json
    from mlplan.targets.protocols import ServiceSpec


def runtime_config(spec: ServiceSpec, app_root: str, control: str) -> dict[str, Json]:
    """What the runtime reads as its `service.json`: all of the spec but its variables, which can hold secrets.

    `app_root` is the folder with code and models, as the runtime sees it, `control` the path of its control socket.
    """
    return {
        "format": 1,
        "name": spec.name,
        "project": spec.project,
        "key": spec.key,
        "digest": spec.digest,
        "host": spec.host,
        "port": spec.port,
        "workers": spec.replicas,
        "threads": thread_count(spec.resources.cpu),
        "memory_bytes": spec.resources.memory_bytes,
        "app_root": app_root,
        "entry_script": f"{spec.code_name}/{spec.entry_script}" if spec.entry_script else None,
        "source_directory": spec.code_name if spec.code is not None else None,
        "models": [
            {
                "name": model.name,
                "version": model.version,
                "digest": model.digest,
                "path": os.path.join(app_root, "azureml-models", model.name, str(model.version)),
                "framework": model.framework,
            }
            for model in spec.models
        ],
        "auth": "none" if spec.keys_file is None else "key",
        "keys_file": spec.keys_file,
        "env": {},
        "settings": {**spec.settings, **spec.about, "collect": spec.collect},
        "control": control,
    }


def endpoint(address: str, spec: ServiceSpec) -> Endpoint:
    """Where a candidate is asked, and the key it takes."""
    keys = read_json(spec.keys_file) if spec.keys_file else None
    return Endpoint(address, str((keys or {}).get("primary", "")))


def with_log(reason: str, lines: Sequence[str]) -> str:
    """Why something went wrong, and the last lines of the service's log."""
    if not lines:
        return reason
    return f"{reason}\nThe last lines of its log:\n" + "\n".join(f"    {line}" for line in lines)
