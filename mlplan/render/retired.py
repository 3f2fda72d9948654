"""Files in the formats of the retired system, so that a team can still read its project with its old tools:
runconfig, conda file, inference configuration, deployment configuration, dataset definition.

What those formats can't say stands in the file as a note, in mlplan's own words. Nothing here decides how mlplan
itself runs anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.manifest.quantities import seconds, size_in_bytes
from mlplan.manifest.references import find
from mlplan.render.engine import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlplan.manifest.references import Mention
    from mlplan.manifest.resolved import Resource
    from mlplan.manifest.specs import DatasetSpec, DeploymentSpec, InferenceSpec, RunSpec

GIB = 2**30
DEFAULT_SHM = "2g"
CONDA_FILE = "conda_dependencies.yml"


class Packages(NamedTuple):
    """An environment, pinned: what a conda file says."""

    python: str  # "3.11"
    pins: tuple[str, ...]  # "scikit-learn==1.5.2", markers included; no hashes, the format has no place for them

    @classmethod
    def of_locked(cls, python: str, packages: Sequence[str]) -> Packages:
        """From the lines of the lock file."""
        return cls(python, tuple(line.partition(" --hash=")[0].rstrip(" \\") for line in packages))


def conda_file(project: str, packages: Packages) -> str:
    """A conda environment with the same packages."""
    return render("retired/conda_dependencies.yml.j2", project=project, python=packages.python, pins=packages.pins)


def runconfig(project: str, run: Resource, packages: Packages | None, base_image: str | None) -> str:
    """A run's runconfig. Without packages it names the interpreter that is there."""
    spec: RunSpec = run.spec
    shm = spec["resources"].get("shm")
    inputs = Inputs(project)
    env = {name: inputs.variable(name, str(value)) for name, value in spec["env"].items()}
    return render(
        "retired/runconfig.yml.j2",
        project=project,
        address=str(run.address),
        script=spec["script"],
        command=[inputs.word(word) for word in spec["command"] or ()],
        arguments=[inputs.word(word) for word in spec["arguments"]],
        target=spec["compute"],
        max_seconds=round(seconds(spec["timeout"])) if spec["timeout"] else None,
        environment=_environment(f"{project}-{run.address.name}", packages, base_image),
        shm_size=_docker_size(shm) if shm else DEFAULT_SHM,
        env=env,
        inputs=inputs.named,
        notes=inputs.notes,
    )


class Inputs:
    """The folders that a run reads, as the runconfig names them. Collected while its words are rewritten."""

    def __init__(self, project: str) -> None:
        self.project = project
        self.named: dict[str, str] = {}  # the input's name: the dataset's
        self.notes: list[str] = []

    def word(self, word: str) -> str:
        """An argument, references to folders replaced by the format's own placeholders."""
        mentions = find(word)
        if len(mentions) == 1 and mentions[0].start == 0 and mentions[0].end == len(word):
            name = self._input(mentions[0])
            return f"DatasetConsumptionConfig:{name}" if name else self._noted(word)
        parts, at = [], 0
        for mention in mentions:
            name = self._input(mention)
            kept = f"$AZUREML_DATAREFERENCE_{name}" if name else self._noted(word[mention.start : mention.end])
            parts += [word[at : mention.start], kept]
            at = mention.end
        return "".join([*parts, word[at:]])

    def variable(self, name: str, value: str) -> str:
        """An environment variable's value: the format fills nothing in there."""
        for mention in find(value):
            self._noted(value[mention.start : mention.end], f" for {name}")
        return value

    def _input(self, mention: Mention) -> str | None:
        """The name of the input for a dataset's path or a run's outputs; None for any other reference."""
        if (mention.scope, mention.attribute) == ("dataset", "path"):
            dataset = mention.name
        elif (mention.scope, mention.attribute) == ("run", "outputs"):
            dataset = f"{self.project}-{mention.name}-outputs"
            note = f"the outputs of run.{mention.name} have to be registered as the dataset {dataset}"
            if note not in self.notes:
                self.notes.append(note)
        else:
            return None
        known = next((name for name, of in self.named.items() if of == dataset), None)
        if known is not None:
            return known
        name = base = camel_case(f"{mention.name}-outputs" if mention.scope == "run" else mention.name)
        number = 1
        while name in self.named:
            number += 1
            name = f"{base}{number}"
        self.named[name] = dataset
        return name

    def _noted(self, text: str, where: str = "") -> str:
        self.notes.append(f"this format has no way to say {text}{where}")
        return text


def camel_case(name: str) -> str:
    """`mnist-dataset` -> `mnistDataset`: the only spelling of an input that the format never rewrites."""
    first, *rest = [word.lower() for word in re.split(r"[^A-Za-z0-9]+", name) if word] or ["input"]
    joined = first + "".join(word.capitalize() for word in rest)
    return joined if joined[0].isalpha() else f"input{joined}"


def inference_config(project: str, inference: Resource, packages: Packages | None, base_image: str | None) -> str:
    """An inference's configuration, for one that has an entry script."""
    spec: InferenceSpec = inference.spec
    environment = _environment(f"{project}-{inference.address.name}", packages, base_image)
    environment["python"].pop("condaDependenciesFile")
    environment["environmentVariables"] = {name: str(value) for name, value in spec["env"].items()}
    if packages is not None:
        environment["python"]["condaDependencies"] = {
            "name": "project_environment",
            "dependencies": [f"python={packages.python}", "pip", {"pip": list(packages.pins)}],
        }
    return render(
        "document.json.j2",
        document={
            "entryScript": spec["entry_script"],
            "sourceDirectory": spec["source"],
            "environment": environment,
        },
    )


def deployment_config(deployment: Resource, compute_type: str) -> str:
    """A deployment's configuration: local for what runs on one machine, aks for a cluster."""
    spec: DeploymentSpec = deployment.spec
    local = {"computeType": "local", "port": spec["port"]}
    document = _aks(spec) if compute_type == "kubernetes" else local
    return render("document.json.j2", document=document)


def _aks(spec: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "computeType": "aks",
        "autoScaler": {"autoscaleEnabled": False},
        "numReplicas": spec["replicas"],
        "authEnabled": spec["auth"] == "key",
        "scoringTimeoutMs": round(seconds(spec["timeout"]) * 1000),
    }
    wanted = {"cpu": spec["resources"].get("cpu"), "memoryInGB": spec["resources"].get("memory")}
    if wanted["memoryInGB"]:
        wanted["memoryInGB"] = round(size_in_bytes(wanted["memoryInGB"]) / GIB, 3)
    named = {name: value for name, value in wanted.items() if value is not None}
    return {**document, "containerResourceRequirements": named} if named else document


def dataset_definition(dataset: Resource) -> str:
    """A dataset, as it is registered from a file."""
    spec: DatasetSpec = dataset.spec
    return render(
        "document.json.j2",
        document={
            "schemaVersion": 1,
            "datasetType": "File",
            "parameters": {"path": list(spec["source"])},
            "registration": {
                "name": dataset.address.name,
                "description": spec["description"],
                "tags": {key: str(value) for key, value in spec["tags"].items()},
                "createNewVersion": True,
            },
        },
    )


def _environment(name: str, packages: Packages | None, base_image: str | None) -> dict[str, Any]:
    """The format's environment object."""
    return {
        "name": name,
        "version": None,
        "environmentVariables": {},
        "python": {
            "userManagedDependencies": packages is None,
            "interpreterPath": "python",
            "condaDependenciesFile": CONDA_FILE if packages else None,
            "baseCondaEnvironment": None,
        },
        "docker": {"baseImage": base_image, "platform": {"os": "Linux", "architecture": "amd64"}},
    }


def _docker_size(size: str) -> str:
    """`1Gi` -> `1g`; anything smaller or odder in mebibytes."""
    amount = size_in_bytes(size)
    return f"{amount // GIB}g" if amount % GIB == 0 else f"{-(-amount // 2**20)}m"
