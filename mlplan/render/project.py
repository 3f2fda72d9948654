"""A whole project as files: what `mlplan render` writes.

    dataset/<name>/      dataset.json
    run/<name>/          Dockerfile, .dockerignore, requirements.lock, uv.txt, <name>.runconfig,
                         conda_dependencies.yml
    inference/<name>/    inference_config.json, conda_dependencies.yml
    deployment/<name>/   Dockerfile, .dockerignore, requirements.lock, uv.txt, service.json, deployment_config.json

Where the Dockerfile of a compute of type `docker` is rendered here, the target builds the same one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.address import Address
from mlplan.codes import render as codes
from mlplan.errors import Refusal
from mlplan.lock.environment import environment_request, serving_requirements
from mlplan.lock.resolve import requirements_text
from mlplan.manifest.service_settings import runtime_settings
from mlplan.render.dockerfiles import Image, Service, base_image, serving_files, training_files
from mlplan.render.retired import (
    CONDA_FILE,
    Packages,
    conda_file,
    dataset_definition,
    deployment_config,
    inference_config,
    runconfig,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlplan.diagnostics import Diagnostic
    from mlplan.lock.types import Lock
    from mlplan.manifest.resolved import Manifest, Resource

Files = dict[str, str]


def render_project(manifest: Manifest, lock: Lock, revision: str) -> Mapping[str, str]:
    """Every rendered file, by its path below the folder it is written to, sorted. Opens no file but those that
    environments name.

    Raises: Refusal with all environments that the lock doesn't pin (MLP6001), and for a value that can't stand in
    its place (MLP6002).
    """
    project = _Project(manifest, lock, revision)
    files: Files = {}
    for address, resource in manifest.resources.items():
        render_one = project.kinds.get(address.kind)
        if render_one is not None:
            folder = f"{address.kind}/{address.name}"
            files.update({f"{folder}/{name}": text for name, text in render_one(resource).items()})
    if project.problems:
        raise Refusal(project.problems)
    return dict(sorted(files.items()))


class Pinned(NamedTuple):
    """An environment as the lock pins it."""

    python: str
    requirements: str  # what a target installs: index options and packages with hashes

    @property
    def packages(self) -> Packages:
        """What a conda file says of it."""
        return Packages.of_locked(self.python, self.requirements.splitlines())


class _Project:
    """What the files of every resource need, and the problems met on the way."""

    def __init__(self, manifest: Manifest, lock: Lock, revision: str) -> None:
        self.manifest, self.lock, self.revision = manifest, lock, revision
        self.problems: list[Diagnostic] = []
        self.kinds: dict[str, Callable[[Resource], Files]] = {
            "dataset": lambda dataset: {"dataset.json": dataset_definition(dataset)},
            "run": self.run,
            "inference": self.inference,
            "deployment": self.deployment,
        }

    def run(self, run: Resource) -> Files:
        """Its image and its runconfig."""
        wanted = run.spec["environment"]
        locked = self.locked(run, wanted, ())
        if wanted and locked is None:
            return {}
        packages = locked.packages if locked else None
        files = training_files(self.image(run, locked)) if self.has_image(run, locked) else {}
        files[f"{run.address.name}.runconfig"] = runconfig(
            self.manifest.project, run, packages, self.base_image(run, locked)
        )
        return files | self.conda(packages)

    def inference(self, inference: Resource) -> Files:
        """Its configuration, where it has an entry script."""
        wanted = inference.spec["environment"]
        locked = self.locked(inference, wanted, serving_requirements())
        if (wanted and locked is None) or not inference.spec["entry_script"]:
            return {}
        packages = locked.packages if locked else None
        config = inference_config(self.manifest.project, inference, packages, None)
        return {"inference_config.json": config} | self.conda(packages)

    def deployment(self, deployment: Resource) -> Files:
        """Its image and its configuration."""
        wanted = serving_environment(deployment, self.manifest.resources)
        locked = self.locked(deployment, wanted, serving_requirements())
        if wanted and locked is None:
            return {}
        files: Files = {}
        if self.has_image(deployment, locked):
            files = serving_files(self.image(deployment, locked), self.service(deployment))
        return files | {"deployment_config.json": deployment_config(deployment, self.compute(deployment)["type"])}

    def conda(self, packages: Packages | None) -> Files:
        """The conda file, where there is an environment."""
        return {CONDA_FILE: conda_file(self.manifest.project, packages)} if packages else {}

    def image(self, resource: Resource, locked: Pinned | None) -> Image:
        """What decides the resource's image."""
        compute = self.compute(resource)
        return Image(
            project=self.manifest.project,
            address=str(resource.address),
            base_image=self.base_image(resource, locked),
            python=locked.python if locked else None,
            requirements=locked.requirements if locked else "",
            buildkit=bool(compute.get("buildkit", True)),
            revision=self.revision,
        )

    def service(self, deployment: Resource) -> Service:
        """What its image says of the service."""
        spec, resources = deployment.spec, self.manifest.resources
        inference = resources[Address("inference", spec["inference"])].spec if spec["inference"] else {}
        entry, folder = inference.get("entry_script"), None
        if entry:
            folder = os.path.basename(os.path.normpath(os.path.join(self.manifest.root, inference["source"])))
        names = [mention.partition(":")[0] for mention in spec["models"]]
        frameworks = {name: resources[Address("model", name)].spec["framework"] or {} for name in names}
        return Service(
            name=deployment.address.name,
            project=self.manifest.project,
            entry_script=f"{folder}/{entry}" if entry else None,
            source_directory=folder,
            auth=spec["auth"] == "key",
            frameworks={name: framework.get("name", "") for name, framework in frameworks.items()},
            settings=runtime_settings(spec),
        )

    def has_image(self, resource: Resource, locked: Pinned | None) -> bool:
        """Without an environment only a compute of type docker says what is in the image: its base image."""
        return locked is not None or self.compute(resource)["type"] == "docker"

    def base_image(self, resource: Resource, locked: Pinned | None) -> str:
        """The base image of the resource's compute."""
        return base_image(self.compute(resource).get("base_image"), locked.python if locked else None)

    def compute(self, resource: Resource) -> Mapping[str, Any]:
        """The spec of the compute it is on."""
        spec: Mapping[str, Any] = self.manifest.resources[Address("compute", resource.spec["compute"])].spec
        return spec

    def locked(
        self, resource: Resource, environment: Mapping[str, Any] | None, extra: tuple[str, ...]
    ) -> Pinned | None:
        """What the lock pins for an environment; None where none is asked for, or, with a problem noted, none is
        pinned."""
        if not environment:
            return None
        request = environment_request(environment, root=self.manifest.root, extra=extra)
        locked = self.lock.environments.get(request.digest)
        if locked is None:
            self.problems.append(
                codes.MLP6001.diagnostic(
                    f"The lock file doesn't pin the environment of {resource.address}.",
                    hint="Pin it:\n    mlplan lock",
                    address=resource.address,
                )
            )
            return None
        return Pinned(locked.python, requirements_text(request, locked, ""))


def serving_environment(deployment: Resource, resources: Mapping[Address, Resource]) -> Mapping[str, Any] | None:
    """The environment that a service runs in: its inference's, or that of the run that made its first model; None
    where neither has one. The same rule as `kinds/deployment/desired.py`; a test holds them together."""
    name = deployment.spec["inference"]
    inference = resources.get(Address("inference", name)) if name else None
    if inference is not None and inference.spec["environment"]:
        own: Mapping[str, Any] = inference.spec["environment"]
        return own
    model = resources.get(Address("model", deployment.spec["models"][0].partition(":")[0]))
    run = resources.get(Address("run", model.spec["run"])) if model and model.spec["run"] else None
    return run.spec["environment"] if run else None
