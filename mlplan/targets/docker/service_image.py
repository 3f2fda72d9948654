"""What a service's containers are made of: the recipe of their image, and what the runtime in each is told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlplan.render.dockerfiles import APP_ROOT, Image, Service, serving_files
from mlplan.targets.docker import archives, containers, records, runtime
from mlplan.targets.docker.generations import INNER_PORT, KEYS, REPLICA
from mlplan.targets.docker.images import Recipe
from mlplan.targets.hosting import runtime_config

if TYPE_CHECKING:
    from mlplan.json_types import Json
    from mlplan.targets.protocols import ServiceSpec


def recipe(spec: ServiceSpec, compute: Mapping[str, Json], home: str, package: str) -> Recipe:
    """How a service's image is built; `package` is the folder of the scoring runtime."""
    environment = spec.environment
    python = environment.python if environment else None
    image = Image(
        project=spec.project,
        address=spec.labels.get("address", f"deployment.{spec.name}"),
        base_image=containers.base_of(compute, python),
        python=python,
        requirements=environment.requirements if environment else "",
        buildkit=bool(compute.get("buildkit", True)),
        revision=spec.labels.get("revision", ""),
    )
    service = Service(
        name=spec.name,
        project=spec.project,
        entry_script=f"{spec.code_name}/{spec.entry_script}" if spec.entry_script else None,
        source_directory=spec.code_name if spec.code is not None else None,
        auth=spec.keys_file is not None,
        frameworks={model.name: model.framework for model in spec.models},
        settings=spec.settings,
    )
    return Recipe(image, lambda image: serving_files(image, service), _context(spec, package), home)


def _context(spec: ServiceSpec, package: str) -> list[archives.Entry]:
    """What a serving image is built from beside its rendered files: the runtime, the code, the models."""
    found = [*runtime.entries(package), archives.folder("app")]
    if spec.code is not None:
        found += archives.tree(f"app/{spec.code_name}", spec.code)
    found.append(archives.folder("models"))
    for model in sorted(spec.models, key=lambda model: model.name):
        found.append(archives.folder(f"models/{model.name}"))
        found += archives.tree(f"models/{model.name}/{model.version}", model.path)
    return found


def config(spec: ServiceSpec) -> dict[str, Json]:
    """What the runtime of one replica reads. The file is laid into the container and stands in no image."""
    inside = spec._replace(
        host="0.0.0.0",
        port=INNER_PORT,
        replicas=1,
        resources=spec.resources._replace(memory_bytes=None),  # the engine sees to it
        keys_file=spec.keys_file and f"{KEYS}/{os.path.basename(spec.keys_file)}",
        collect=spec.collect and {**spec.collect, "folder": f"{records.RECORDS}/{records.FOLDER}"},
    )
    return {**runtime_config(inside, APP_ROOT, f"{REPLICA}/control.sock"), "env": dict(spec.env)}
