"""The registered targets, by compute type. A target's module is imported when it is opened.

To add one: its folder below `targets/`, and its entry here. `tests/contract/` runs over all of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic
    from mlplan.json_types import Json
    from mlplan.targets.protocols import Resources, Target, TargetType


class Registered(NamedTuple):
    """What is known of a target without importing it."""

    module: str  # a TargetType
    without_effect: Mapping[str, str]  # fields of the manifest that do nothing on it, each with the reason


TARGETS: Mapping[str, Registered] = {
    "docker": Registered("mlplan.targets.docker.target", {}),
    "local": Registered(
        "mlplan.targets.local.target",
        {
            "resources.shm": "all processes of this machine share the whole of its shared memory",
            "resources.gpus": "every process of this machine sees all of its GPUs; set CUDA_VISIBLE_DEVICES in `env`",
        },
    ),
}


def open_target(kind: str, home: str, project: str, compute: Mapping[str, Json]) -> Target:
    """The target behind a compute of type `kind`. `home` is the project's local folder, absolute.

    Raises: KeyError for a type that isn't registered; the schema lets none through.
    """
    module: TargetType = importlib.import_module(TARGETS[kind].module)
    return module.open(home, project, compute)


def fields_without_effect(kind: str, resources: Resources) -> Iterator[Diagnostic]:
    """A warning (MLP8001) for each limit that is set and does nothing on targets of this type."""
    from mlplan.codes import target as codes

    asked = {"resources.shm": resources.shm_bytes, "resources.gpus": resources.gpus}
    for field, reason in TARGETS[kind].without_effect.items():
        if asked.get(field) is not None:
            yield codes.MLP8001.diagnostic(
                f"`{field}` does nothing on a compute of type {kind}: {reason}.",
                hint=f"Leave `{field.rpartition('.')[2]}` out, or choose a compute that has it.",
            )
