"""The resolved specs as types. Made by `python -m mlplan.manifest.schema` of `models.py`: don't edit.

Imported under TYPE_CHECKING alone: at run time a spec is a plain dict with every field filled in.
Durations and sizes are kept as written; `quantities.py` reads them.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from mlplan.json_types import Json


class DockerComputeSpec(TypedDict):
    """Containers of the Docker engine on this machine, from images that mlplan renders and builds."""

    type: Literal["docker"]
    """The Docker engine on this machine."""
    base_image: str | None
    """The image that all images here are built from, best pinned by its digest. It has to have the Python that the
environments ask for, as `python3`, with `venv` and `pip`. Left out: `python:VERSION-slim-bookworm`."""
    buildkit: bool
    """Whether images are built by BuildKit, which keeps downloaded packages between builds, where the engine has it.
False: always by the engine's older builder."""
    max_nodes: int
    """How many jobs run at once."""


class LocalComputeSpec(TypedDict):
    """This machine: processes of their own, environments by uv."""

    type: Literal["local"]
    """This machine."""
    max_nodes: int
    """How many jobs run at once."""


class DatasetSpec(TypedDict):
    """Files by content. The same content is the same version."""

    source: list[str]
    """Where its files are: URLs (http, https), or files, folders and globs. One, or a list."""
    description: str
    """What it holds."""
    tags: dict[str, str]
    """Labels of your own."""
    protect: bool
    """True: nothing deletes it."""


class EnvironmentSpec(TypedDict):
    """A Python environment: packages listed here, or a file that lists them."""

    python: str | None
    """The Python version, quoted: "3.11". Left out: what the file says, or the version that runs mlplan."""
    packages: list[str]
    """Packages as pip takes them: `scikit-learn==1.5.2`."""
    file: str | None
    """A `requirements.txt`, a `pyproject.toml` or a conda file (`.yml`)."""


class ResourcesSpec(TypedDict):
    """What one job, or one replica of a service, may use."""

    cpu: float | None
    """Cores, fractions allowed."""
    memory: str | None
    """Memory, such as `512Mi` or `2Gi`."""
    shm: str | None
    """Shared memory, such as `1Gi`: what data loaders with several workers need."""
    gpus: int | None
    """How many GPUs."""


class RunSpec(TypedDict):
    """A script that runs once for the same code, data, arguments and environment."""

    compute: str
    """The compute it runs on."""
    source: str
    """The folder with its code. It is snapshotted, ignore files obeyed, and is the script's working folder."""
    script: str | None
    """The Python file to run, relative to `source`."""
    command: list[str] | None
    """A program and its arguments, in place of a script. `python` is that of the environment."""
    arguments: list[str]
    """What the script is called with."""
    environment: EnvironmentSpec | None
    """Its Python environment. Left out: the interpreter that runs mlplan."""
    env: dict[str, str]
    """Environment variables. Beyond them it gets only PATH, HOME, LANG, TMPDIR and the like."""
    timeout: str | None
    """After how long it is ended: `90s`, `2h`, `1h30m`."""
    resources: ResourcesSpec
    """What it may use."""
    description: str
    """What it does."""
    tags: dict[str, str]
    """Labels of your own."""


class FrameworkSpec(TypedDict):
    """What a model was made with."""

    name: str
    """Such as `scikit-learn`."""
    version: str
    """Such as `1.5.2`, quoted where it would be read as a number."""


class ModelSpec(TypedDict):
    """A file or folder registered in versions, from a run's outputs or from a path."""

    run: str | None
    """The run that makes it."""
    path: str | None
    """Where the run leaves it: a file or a folder, such as `outputs/model.pkl`."""
    file: str | None
    """A file or folder of the project, for a model that was trained elsewhere."""
    framework: FrameworkSpec | None
    """What it was made with."""
    require: list[str]
    """Gates over the run's metrics: `accuracy >= 0.9`, or, against the version in service now,
`accuracy >= deployed.accuracy - 0.01`. Unmet, nothing is registered or deployed."""
    description: str
    """What it is."""
    tags: dict[str, str]
    """Labels of your own. They can be altered."""
    properties: dict[str, str]
    """Facts about a version, recorded with it."""
    protect: bool
    """True: nothing deletes it."""


class InferenceSpec(TypedDict):
    """How a model is asked."""

    source: str
    """The folder with the scoring code. It is snapshotted, ignore files obeyed."""
    entry_script: str | None
    """The Python file with `init()` and `run(data)`, relative to `source`. Left out: a scikit-learn model that
serves itself."""
    environment: EnvironmentSpec | None
    """Its Python environment. Left out: that of the run that made the model."""
    env: dict[str, str]
    """Environment variables. Beyond them it gets only PATH, HOME, LANG, TMPDIR and the like."""


class CollectSpec(TypedDict):
    """What a service keeps of its requests: JSON lines by model, version and day, off the requests' way."""

    inputs: bool
    """Whether what was asked is kept."""
    outputs: bool
    """Whether what was answered is kept."""
    sample: float
    """The share of the requests that are kept."""
    without: list[str]
    """Names of columns and members that are left out."""
    keep: str
    """How much is kept on disk; the oldest files go first."""


class GoldenLimitsSpec(TypedDict):
    """How far a new service's answers to golden requests may be from those of the service that is live."""

    changed: int | None
    """How many of the requests may be answered otherwise than the live service answers them."""
    p99: str | None
    """The longest that the slowest in a hundred answers may take: `50ms`."""
    slower: float | None
    """How many times as long as the live service's the median answer may take: `1.5`."""


class ServiceTestSpec(TypedDict):
    """What a new service has to answer before it takes traffic: one request, or a file of golden ones."""

    request: str | None
    """A JSON file with the request's body."""
    expect: Json
    """The answer it has to give. Left out: any answer that is no error."""
    requests: str | None
    """A file of golden requests, as JSON lines or one JSON list of `{"request": ..., "expect": ..., "tolerance": ...,
"name": ...}`; records that a service has collected are read as well. They are asked of the service that is live,
too, and what is answered otherwise is told."""
    tolerance: float | None
    """How far apart, relatively, two numbers may be and still be the same answer. Left out: 1e-6."""
    limits: GoldenLimitsSpec | None
    """What stops the switch to the new service, with exit code 3."""


class DeploymentSpec(TypedDict):
    """A service that answers requests with models."""

    compute: str
    """The compute it lives on."""
    models: list[str]
    """The models it serves: the current version (`mymodel`) or a pinned one (`mymodel:3`)."""
    inference: str | None
    """How they are asked. Left out: a scikit-learn model that serves itself."""
    port: int
    """The port it listens on."""
    host: str
    """The address it listens on. `0.0.0.0` opens it to the network."""
    auth: Literal["key", "none"]
    """`key`: a request needs one of the service's keys. `none`: anyone who reaches it may ask."""
    replicas: int
    """How many processes answer."""
    resources: ResourcesSpec
    """What one replica may use."""
    timeout: str
    """How long one request may take."""
    max_body: str
    """How large a request's body may be."""
    batch: bool | None
    """Whether requests that wait are put to the model together, as rows of one call. Left out: where that is known to
give the same answers to the bit. An entry script has to take and give many rows for it."""
    pickle_allow: list[str]
    """What the model's pickle may use beyond the usual libraries: `mypackage.steps.Clip`, or `mypackage.*`."""
    collect: CollectSpec | None
    """What is kept of requests and answers, for `mlplan service data`. Left out: nothing."""
    test: list[ServiceTestSpec]
    """Requests asked of a new service before it takes traffic."""
    protect: bool
    """True: nothing deletes or replaces it."""
    description: str
    """What it is for."""
    tags: dict[str, str]
    """Labels of your own."""


ComputeSpec = DockerComputeSpec | LocalComputeSpec
