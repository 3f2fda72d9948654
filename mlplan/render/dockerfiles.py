"""The files that an image is built from, but for the user's own: Dockerfile, `.dockerignore` and what is pinned.

What stands in them depends on little: the environment, the base image, names. So a changed argument or a retrained
model alters no line; the fingerprint comes as a build argument.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import NamedTuple

from mlplan.json_types import Json
from mlplan.render.engine import render
from mlplan.resources import read

VENV_PYTHON = "/opt/venv/bin/python"
APP_ROOT = "/var/azureml-app"
"""Where scoring code and models are, as scripts of the retired system know it."""
SERVICE_PORT = 5001
"""The port that a serving container listens on; it is published as the deployment's."""

BASE_IMAGE = "python:{python}-slim-bookworm"
"""The base image where the compute names none."""


class Image(NamedTuple):
    """What decides the files of an image."""

    project: str
    address: str  # "run.train"
    base_image: str
    python: str | None  # "3.11"; None: no environment is asked for, the base image has all
    requirements: str  # pinned, with hashes; "" without an environment
    buildkit: bool  # whether the engine's builder knows cache mounts
    revision: str  # of the project's repository; what the label says unless a build argument does

    @property
    def interpreter(self) -> str:
        """The Python that the image runs, as an absolute path or a name."""
        return VENV_PYTHON if self.python else "python3"


def base_image(named: str | None, python: str | None) -> str:
    """The base image: the one that the compute names, or the public one for this version of Python.

    Where no environment is asked for, that is the version that runs mlplan.
    """
    return named or BASE_IMAGE.format(python=python or f"{sys.version_info.major}.{sys.version_info.minor}")


class Service(NamedTuple):
    """What a serving image says of its service: enough to serve without mlplan."""

    name: str
    project: str
    entry_script: str | None  # from the app root: "scripts/score.py"
    source_directory: str | None  # "scripts"
    auth: bool  # whether a request needs a key
    frameworks: Mapping[str, str]  # by the model's name
    settings: Mapping[str, Json]  # of the scoring runtime


def training_files(image: Image) -> dict[str, str]:
    """By path in the build's context. What is missing there is the run's code, as `code/`.

    Raises: Refusal (MLP6002) where a value can't stand in its place.
    """
    return _files(image, "training")


def serving_files(image: Image, service: Service) -> dict[str, str]:
    """By path in the build's context. What is missing there is the scoring code, as `app/<name of its folder>/`,
    the models, as `models/<name>/<version>/`, and the runtime, as `runtime/`.

    Raises: Refusal (MLP6002) where a value can't stand in its place.
    """
    description = {
        "format": 1,
        "name": service.name,
        "project": service.project,
        "host": "0.0.0.0",
        "port": SERVICE_PORT,
        "app_root": APP_ROOT,
        "entry_script": service.entry_script,
        "source_directory": service.source_directory,
        "auth": "key" if service.auth else "none",
        "frameworks": dict(sorted(service.frameworks.items())),
        "settings": dict(sorted(service.settings.items())),
    }
    return {**_files(image, "serving"), "service.json": render("document.json.j2", document=description)}


def environment_files(files: dict[str, str]) -> dict[str, str]:
    """Of an image's files, what its stage `deps` is built from: the Dockerfile as far as that, and what is pinned.

    Images with equal ones share their environment.
    """
    stage, _, _ = files["Dockerfile"].partition("\nFROM base AS runtime\n")
    lines = [line for line in stage.splitlines() if line and not line.startswith(("#", "LABEL"))]
    kept = {"Dockerfile": "\n".join(lines)}
    return kept | {name: files[name] for name in ("uv.txt", "requirements.lock") if name in files}


def _files(image: Image, purpose: str) -> dict[str, str]:
    values = {
        "purpose": purpose,
        "project": image.project,
        "address": image.address,
        "title": f"{image.project} {image.address}",
        "base_image": image.base_image,
        "python": image.python,
        "interpreter": image.interpreter,
        "buildkit": image.buildkit,
        "revision": image.revision,
        "port": SERVICE_PORT,
    }
    pinned = {"uv.txt": read("templates", "docker/uv.txt"), "requirements.lock": image.requirements}
    return {
        "Dockerfile": render(f"docker/{purpose}.Dockerfile.j2", **values),
        ".dockerignore": render("docker/dockerignore.j2", purpose=purpose, python=image.python),
        **(pinned if image.python else {}),
    }
