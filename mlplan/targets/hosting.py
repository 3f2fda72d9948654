"""What targets that host services by the scoring runtime share: its configuration, and what is told and kept of a
candidate that doesn't go live."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Iterable, Sequence
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


class RefusedLogs:
    """The logs of candidates that did not go live, of each service the last one's, below a folder of services."""

    LINES = 2_000
    WIDTH = 4_000

    def __init__(self, services: str) -> None:
        self._folder = os.path.join(services, ".refused")

    def path(self, name: str) -> str:
        """Where that of a service is; "" where its last candidate went live, or there was none."""
        path = self._path(name)
        return path if os.path.exists(path) else ""

    def names(self) -> Sequence[str]:
        """The services of which there is one."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(file.removesuffix(".txt") for file in os.listdir(self._folder))
        return []

    def keep(self, name: str, lines: Iterable[str]) -> None:
        """Keeps the end of a log, in place of the one before. Where it can't be written, there is none."""
        last = [line[: self.WIDTH] + "\n" for line in deque(lines, self.LINES)]
        with contextlib.suppress(OSError):
            os.makedirs(self._folder, exist_ok=True)
            with open(self._path(name), "w", encoding="utf-8") as stream:
                stream.writelines(last)

    def forget(self, name: str) -> None:
        """Removes that of a service."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path(name))

    def clear(self) -> None:
        """Removes all of them."""
        for name in self.names():
            self.forget(name)

    def unused(self) -> list[str]:
        """What `clear` would remove, in a user's words."""
        return [f"the log of a candidate of {name} that did not go live" for name in self.names()]

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, f"{name}.txt")
