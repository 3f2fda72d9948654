"""What may be written in `mlplan.yaml`: the one definition.

`python -m mlplan.manifest.schema` makes `schemas/manifest.json` and `specs.py` from these models; the docstrings
below the fields are the descriptions that an editor shows. Imported only where a manifest is read for the first
time: a cached load does without pydantic.

The computes stand with their targets: `compute_models` finds them by the table `COMPUTES`.
"""

from __future__ import annotations

import importlib
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

NAME = r"^[A-Za-z0-9_-]{1,64}$"
COMPUTES = {
    "docker": "mlplan.targets.docker.compute",
    "local": "mlplan.targets.local.compute",
}
"""The module of each compute type; its `Compute` is the model. Who adds a target adds a line."""

Name = Annotated[str, Field(pattern=NAME)]
Text = Annotated[str, WithJsonSchema({"type": ["string", "number", "boolean"]})]
"""Text for a program or a person. A number or a truth value is taken as it is written: `1.10` stays `1.10`."""
Texts = dict[str, Text]
EnvironmentVariables = dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], Text]
Line = Annotated[str, Field(min_length=1)]
Path = Annotated[str, Field(min_length=1)]
Place = Annotated[
    str,
    Field(pattern=r"^((s3|az|gs)://[^/].*|[^A-Za-z~].*|[A-Za-z][A-Za-z0-9+.-]*([^A-Za-z0-9+.:-].*|:([^/].*)?)?)$"),
]
"""A bucket, or a path: whatever doesn't begin as an address of another kind does, or with what only a shell knows."""
Duration = Annotated[str, Field(pattern=r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$")]
Size = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(B|kB|MB|GB|TB|Ki|Mi|Gi|Ti)$")]


class Strict(BaseModel):
    """The base of all models: unknown keys are errors, docstrings are descriptions."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)


class ComputeBase(Strict):
    """A place where runs and services live. What more may be written depends on its `type`."""

    without_effect: ClassVar[dict[str, str]] = {}
    """Fields of runs and deployments that this compute can't honour, by path, each with a sentence that says why."""


class Variable(Strict):
    """A value that is filled in from outside, as `${{ var.NAME }}`."""

    type: Literal["string", "number", "integer", "boolean"] = "string"
    """What its value has to be."""
    default: Annotated[str | bool | int | float | None, WithJsonSchema({"type": ["string", "number", "boolean"]})] = (
        None
    )
    """Its value where none is given. A variable without one has to be given."""
    description: str = ""
    """What it is for."""


class Environment(Strict):
    """A Python environment: packages listed here, or a file that lists them."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["packages", "file"]}})

    python: Annotated[str, Field(pattern=r"^3\.[0-9]+(\.[0-9]+)?$")] | None = None
    """The Python version, quoted: "3.11". Left out: what the file says, or the version that runs mlplan."""
    packages: list[Line] = []
    """Packages as pip takes them: `scikit-learn==1.5.2`."""
    file: Annotated[str, Field(pattern=r"\.(txt|toml|yml|yaml)$")] | None = None
    """A `requirements.txt`, a `pyproject.toml` or a conda file (`.yml`)."""


class Resources(Strict):
    """What one job, or one replica of a service, may use."""

    cpu: Annotated[float, Field(gt=0)] | None = None
    """Cores, fractions allowed."""
    memory: Size | None = None
    """Memory, such as `512Mi` or `2Gi`."""
    shm: Size | None = None
    """Shared memory, such as `1Gi`: what data loaders with several workers need."""
    gpus: Annotated[int, Field(ge=0)] | None = None
    """How many GPUs."""


class Dataset(Strict):
    """Files by content. The same content is the same version."""

    source: Annotated[
        list[Line],
        Field(min_length=1),
        WithJsonSchema(
            {"type": ["string", "array"], "minLength": 1, "minItems": 1, "items": {"type": "string", "minLength": 1}}
        ),
    ]
    """Where its files are: URLs (http, https), or files, folders and globs. One, or a list."""
    description: str = ""
    """What it holds."""
    tags: Texts = {}
    """Labels of your own."""
    protect: bool = False
    """True: nothing deletes it."""


class Run(Strict):
    """A script that runs once for the same code, data, arguments and environment."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["script"]}, {"required": ["command"]}],
            "not": {"required": ["command", "arguments"]},
        }
    )

    compute: Name
    """The compute it runs on."""
    source: Path = "."
    """The folder with its code. It is snapshotted, ignore files obeyed, and is the script's working folder."""
    script: Path | None = None
    """The Python file to run, relative to `source`."""
    command: Annotated[list[Text], Field(min_length=1)] | None = None
    """A program and its arguments, in place of a script. `python` is that of the environment."""
    arguments: list[Text] = []
    """What the script is called with."""
    environment: Environment | None = None
    """Its Python environment. Left out: the interpreter that runs mlplan."""
    env: EnvironmentVariables = {}
    """Environment variables. Beyond them it gets only PATH, HOME, LANG, TMPDIR and the like."""
    timeout: Duration | None = None
    """After how long it is ended: `90s`, `2h`, `1h30m`."""
    resources: Resources = Resources()
    """What it may use."""
    description: str = ""
    """What it does."""
    tags: Texts = {}
    """Labels of your own."""


class Framework(Strict):
    """What a model was made with."""

    name: Line
    """Such as `scikit-learn`."""
    version: str = ""
    """Such as `1.5.2`, quoted where it would be read as a number."""


class Model(Strict):
    """A file or folder registered in versions, from a run's outputs or from a path."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["run"]}, {"required": ["file"]}],
            "not": {"required": ["file", "path"]},
            "dependentRequired": {"run": ["path"]},
        }
    )

    run: Name | None = None
    """The run that makes it."""
    path: Path | None = None
    """Where the run leaves it: a file or a folder, such as `outputs/model.pkl`."""
    file: Path | None = None
    """A file or folder of the project, for a model that was trained elsewhere."""
    framework: Framework | None = None
    """What it was made with."""
    require: list[Line] = []
    """Gates over the run's metrics: `accuracy >= 0.9`, or, against the version in service now,
    `accuracy >= deployed.accuracy - 0.01`. Unmet, nothing is registered or deployed."""
    description: str = ""
    """What it is."""
    tags: Texts = {}
    """Labels of your own. They can be altered."""
    properties: Texts = {}
    """Facts about a version, recorded with it."""
    protect: bool = False
    """True: nothing deletes it."""


class Inference(Strict):
    """How a model is asked."""

    source: Path = "."
    """The folder with the scoring code. It is snapshotted, ignore files obeyed."""
    entry_script: Path | None = None
    """The Python file with `init()` and `run(data)`, relative to `source`. Left out: a scikit-learn model that
    serves itself."""
    environment: Environment | None = None
    """Its Python environment. Left out: that of the run that made the model."""
    env: EnvironmentVariables = {}
    """Environment variables. Beyond them it gets only PATH, HOME, LANG, TMPDIR and the like."""


class GoldenLimits(Strict):
    """How far a new service's answers to golden requests may be from those of the service that is live."""

    changed: Annotated[int, Field(ge=0)] | None = None
    """How many of the requests may be answered otherwise than the live service answers them."""
    p99: Duration | None = None
    """The longest that the slowest in a hundred answers may take: `50ms`."""
    slower: Annotated[float, Field(gt=0)] | None = None
    """How many times as long as the live service's the median answer may take: `1.5`."""


class ServiceTest(Strict):
    """What a new service has to answer before it takes traffic: one request, or a file of golden ones."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["request"]}, {"required": ["requests"]}],
            "not": {"required": ["expect", "requests"]},
            "dependentRequired": {"limits": ["requests"]},
        }
    )

    request: Path | None = None
    """A JSON file with the request's body."""
    expect: Any = None
    """The answer it has to give. Left out: any answer that is no error."""
    requests: Path | None = None
    """A file of golden requests, as JSON lines or one JSON list of `{"request": ..., "expect": ..., "tolerance": ...,
    "name": ...}`; records that a service has collected are read as well. They are asked of the service that is live,
    too, and what is answered otherwise is told."""
    tolerance: Annotated[float, Field(ge=0)] | None = None
    """How far apart, relatively, two numbers may be and still be the same answer. Left out: 1e-6."""
    limits: GoldenLimits | None = None
    """What stops the switch to the new service, with exit code 3."""


class Collect(Strict):
    """What a service keeps of its requests: JSON lines by model, version and day, off the requests' way."""

    inputs: bool = True
    """Whether what was asked is kept."""
    outputs: bool = True
    """Whether what was answered is kept."""
    sample: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The share of the requests that are kept."""
    without: list[Line] = []
    """Names of columns and members that are left out."""
    keep: Size = "256Mi"
    """How much is kept on disk; the oldest files go first."""


class Deployment(Strict):
    """A service that answers requests with models."""

    compute: Name
    """The compute it lives on."""
    models: Annotated[
        list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}(:[1-9][0-9]*)?$")]],
        Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    ]
    """The models it serves: the current version (`mymodel`) or a pinned one (`mymodel:3`)."""
    inference: Name | None = None
    """How they are asked. Left out: a scikit-learn model that serves itself."""
    port: Annotated[int, Field(ge=1, le=65535)]
    """The port it listens on."""
    host: Line = "127.0.0.1"
    """The address it listens on. `0.0.0.0` opens it to the network."""
    auth: Literal["key", "none"] = "key"
    """`key`: a request needs one of the service's keys. `none`: anyone who reaches it may ask."""
    replicas: Annotated[int, Field(ge=1)] = 1
    """How many processes answer."""
    resources: Resources = Resources()
    """What one replica may use."""
    timeout: Duration = "60s"
    """How long one request may take."""
    max_body: Size = "16Mi"
    """How large a request's body may be."""
    batch: bool | None = None
    """Whether requests that wait are put to the model together, as rows of one call. Left out: where that is known to
    give the same answers to the bit. An entry script has to take and give many rows for it."""
    pickle_allow: list[Line] = []
    """What the model's pickle may use beyond the usual libraries: `mypackage.steps.Clip`, or `mypackage.*`."""
    collect: Collect | None = None
    """What is kept of requests and answers, for `mlplan service data`. Left out: nothing."""
    test: list[ServiceTest] = []
    """Requests asked of a new service before it takes traffic."""
    protect: bool = False
    """True: nothing deletes or replaces it."""
    description: str = ""
    """What it is for."""
    tags: Texts = {}
    """Labels of your own."""


class Moved(Strict):
    """A resource that has a new name. It keeps its history, and nothing is run again."""

    model_config = ConfigDict(json_schema_extra={"required": ["from", "to"]})

    from_: Annotated[str, Field(alias="from")]
    """Its old address: `run.mnist`."""
    to: str
    """Its new address: `run.train`."""


class Profile(Strict):
    """Changes to the manifest, chosen by `--profile NAME`. Mappings are merged, all else is replaced."""


class ManifestFile(Strict):
    """A machine-learning project: where it computes, its data, runs, models, and how they are served."""

    version: Literal[1]
    """The format of this file: 1."""
    project: Name
    """The project's name."""
    workspace: Place = ".mlplan"
    """Where state and artifacts are kept: a folder, or a bucket (`s3://bucket/prefix`, `az://`, `gs://`)."""
    variables: dict[Name, Variable] = {}
    """Values that are filled in from outside."""
    compute: dict[Name, ComputeBase] = {}
    """Where runs and services live."""
    dataset: dict[Name, Dataset] = {}
    """The data."""
    run: dict[Name, Run] = {}
    """The runs that make models and other outputs."""
    model: dict[Name, Model] = {}
    """The models, registered in versions."""
    inference: dict[Name, Inference] = {}
    """How models are asked."""
    deployment: dict[Name, Deployment] = {}
    """The services."""
    profiles: dict[Name, Profile] = {}
    """Variants of the project, such as `prod`."""
    moved: list[Moved] = []
    """Resources that have a new name."""


SECTIONS: dict[str, type[Strict]] = {
    "dataset": Dataset,
    "run": Run,
    "model": Model,
    "inference": Inference,
    "deployment": Deployment,
}
"""The model of each section whose specs all have one shape; computes have one a type."""


def compute_models() -> dict[str, type[ComputeBase]]:
    """The model of each compute type."""
    models: dict[str, type[ComputeBase]] = {}
    for name, module in COMPUTES.items():
        models[name] = importlib.import_module(module).Compute
    return models
