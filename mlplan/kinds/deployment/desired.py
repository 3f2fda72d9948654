"""A deployment, planned: which models, by which inference, where; and whether the live service is that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlplan.address import Address
from mlplan.fingerprint import Part, fingerprint, known, unknown
from mlplan.json_types import digest_of
from mlplan.kinds.deployment.asked import Questions, golden_of, questions_of
from mlplan.kinds.elsewhere import elsewhere
from mlplan.kinds.environment import Asked, environment_parts, read_environment
from mlplan.kinds.references import written
from mlplan.plan.decide import Desired
from mlplan.world import Drift

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from mlplan.json_types import Json
    from mlplan.kinds.protocol import OpenTarget, Reading
    from mlplan.manifest.resolved import Resource
    from mlplan.manifest.specs import DeploymentSpec
    from mlplan.plan.changes import Change, Golden
    from mlplan.plan.make import Lookup
    from mlplan.state.records import Recorded, State
    from mlplan.targets.protocols import Services


class Facts(NamedTuple):
    """What is read for a deployment: its test requests, by value, and the files of golden ones, by content."""

    tests: tuple[tuple[str, str], ...]  # (the name of the part, the digest of request and expectation)
    golden: tuple[Questions, ...]
    compute_type: str
    base_image: str | None  # of a compute whose services are in containers
    environment: Asked  # of a service whose inference has none: that of the run that made its model
    here: Mapping[str, Json]  # this checkout


def read(resource: Resource, reading: Reading) -> Facts:
    """The content of the test requests' files."""
    tests = []
    for index, test in enumerate(resource.spec.get("test") or (), start=1):
        tests.append(_test_part(index, test, reading))
    resources = reading.manifest.resources
    compute = resources[Address("compute", resource.spec["compute"])]
    environment = read_environment(reading, environment_of(resource, resources), serving=True)
    golden = questions_of(resource.spec, reading)
    base_image = compute.spec.get("base_image")
    return Facts(tuple(tests), golden, compute.spec["type"], base_image, environment, reading.here)


def _test_part(index: int, test: Mapping[str, Any], reading: Reading) -> tuple[str, str]:
    """A test's name and digest. What it leaves out doesn't count, whatever fields there come to be."""
    golden = test.get("requests")
    field, word = ("requests", "golden requests") if golden else ("request", "test request")
    file = test[field]
    name = f"{word} {file}" if isinstance(file, str) else f"{word} {index}"
    value = file if not isinstance(file, str) else reading.files.digest(file) if golden else reading.files.value(file)
    rest = {key: item for key, item in test.items() if item is not None or key == "expect"}
    return name, digest_of({field: value, "test": {**rest, field: None}})


def environment_of(resource: Resource, resources: Mapping[Address, Resource]) -> Mapping[str, Any] | None:
    """The environment that a service runs in: its inference's, or that of the run that made its first model.

    None where neither has one: then it is the interpreter that runs mlplan.
    """
    name = resource.spec.get("inference")
    inference = resources.get(Address("inference", name)) if name else None
    if inference is not None and inference.spec.get("environment"):
        own: Mapping[str, Any] = inference.spec["environment"]
        return own
    model = resources.get(Address("model", resource.spec["models"][0].partition(":")[0]))
    run = resources.get(Address("run", model.spec["run"])) if model and model.spec.get("run") else None
    return run.spec.get("environment") if run else None


def desired(resource: Resource, facts: Facts, lookup: Lookup, state: State) -> Desired:
    """Its models, code, place, settings and tests."""
    spec: DeploymentSpec = resource.spec
    details: dict[str, str] = {}
    parts: dict[str, Part] = {}
    for mention in spec["models"]:
        name, _, pinned = mention.partition(":")
        parts[f"model {name}"] = _model_part(Address("model", name), int(pinned) if pinned else None, lookup, state)
    inference = spec.get("inference")
    if inference:
        address = Address("inference", inference)
        outputs = lookup(address).outputs
        mark = outputs.get("fingerprint") if outputs else None
        parts[str(address).replace(".", " ")] = Part("result", str(mark)) if mark else unknown("result", str(address))
    parts.update(environment_parts(facts.environment, resource.address))
    parts["compute"] = known("replace", spec["compute"])
    parts["compute type"] = known("replace", facts.compute_type)
    if facts.base_image:
        parts["compute base_image"] = known("result", facts.base_image)
    for field in ("host", "port"):
        parts[field] = known("replace", spec[field])
    for field in ("auth", "replicas", "resources", "timeout", "max_body", "batch", "pickle_allow", "collect"):
        value = written(spec.get(field))
        if value not in (None, {}, []):
            parts[field] = known("result", value)
    for name, digest in facts.tests:
        parts[name] = Part("check", digest)
    if spec.get("description"):
        parts["description"] = known("label", spec["description"])
    for key, value in (spec.get("tags") or {}).items():
        parts[f"tag {key}"] = known("label", value)
    recorded = state.resources.get(resource.address)
    golden: tuple[Golden, ...] = ()
    if facts.golden:
        live = generation_of(recorded.parts) if recorded else ""
        stopped = state.stopped.get(resource.address)
        golden = golden_of(facts.golden, generation_of(parts), live, recorded, stopped)
    away = elsewhere(recorded.outputs, facts.here) if recorded else ""
    doubts = (f"it was started from {away}; where it isn't found here, it is taken to be well there",) if away else ()
    return Desired(resource.address, parts, bool(spec.get("protect")), details, doubts=doubts, golden=golden)


def _model_part(address: Address, pinned: int | None, lookup: Lookup, state: State) -> Part:
    """A model by its bytes; the version is what is shown."""
    if pinned is not None:
        version = next((v for v in state.versions.get(address, ()) if v.number == pinned), None)
        if version is not None:
            return Part("result", version.digest, pinned)
    outputs = lookup(address).outputs
    if outputs is None or (pinned is not None and outputs.get("version") != pinned):
        return unknown("result", str(address))
    return Part("result", str(outputs["digest"]), outputs.get("version"))


def served_digest(models: Mapping[str, str]) -> str:
    """What a service says that it serves: one digest over its models' digests by name."""
    return digest_of(dict(models))


def generation_of(parts: Mapping[str, Part]) -> str:
    """What names one generation of the service; "" where only the apply can tell."""
    return place_and_result(parts) if fingerprint(parts) else ""


def place_and_result(parts: Mapping[str, Part]) -> str:
    """What names one generation of the service: its result and where it stands."""
    place = {name: part.digest for name, part in parts.items() if part.role == "replace"}
    return digest_of({"result": fingerprint(parts), "place": place})


def host_of(recorded: Recorded, open_target: OpenTarget) -> Services:
    """Where it was deployed, whatever type that compute has by now."""
    kind = recorded.parts.get("compute type")
    return open_target(str(recorded.outputs["compute"]), str(kind.value) if kind else "").services


def out_of_reach(recorded: Recorded, here: Mapping[str, Json], open_target: OpenTarget) -> str:
    """Where a service serves that was started from another checkout and isn't found from here; "" for others."""
    away = elsewhere(recorded.outputs, here)
    return away if away and host_of(recorded, open_target).observe(recorded.address.name).state == "Absent" else ""


def drift(recorded: Recorded, reading: Reading) -> tuple[Drift, ...]:
    """What the live service says against what was deployed. One that isn't found here and was started from another
    checkout is taken to be well."""
    outputs = recorded.outputs
    seen = host_of(recorded, reading.target).observe(recorded.address.name)
    found: list[Drift] = []
    if seen.state == "Absent" and elsewhere(outputs, reading.here):
        return ()
    if seen.state != "Healthy":
        problem = {"Absent": "stopped", "Unhealthy": "unhealthy", "Failed": "failed"}.get(
            seen.state, seen.state.lower()
        )
        return (Drift("service", problem, "Healthy", seen.detail.get("problem") or seen.state),)
    if seen.digest != outputs["digest"]:
        found.append(Drift("service", "serves another model", str(outputs["digest"])[:10], seen.digest[:10]))
    if seen.key and seen.key != outputs["key"]:
        found.append(Drift("service", "is another deployment", str(outputs["key"])[:10], seen.key[:10]))
    edited = seen.detail.get("edited")
    if isinstance(edited, (list, tuple)):
        found += [Drift(*change) for change in edited]
    altered = seen.detail.get("altered")
    if isinstance(altered, (list, tuple)):
        found += [Drift(f"service file {path}", "altered on disk") for path in altered]
    return tuple(found)


def yields(change: Change, facts: Facts, state: State) -> Mapping[str, Json]:
    """Where it will answer."""
    return {"scoring_uri": scoring_uri(change.after)}


def scoring_uri(parts: Mapping[str, Part]) -> str:
    """The address that a client posts to."""
    host = str(parts["host"].value)
    shown = "127.0.0.1" if host in ("0.0.0.0", "") else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{parts['port'].value}/score"


def loss(recorded: Recorded, state: State) -> str:
    """What its clients lose, and where what it collected is then."""
    kept = "; what it kept of its requests stays until `mlplan gc`" if "collect" in recorded.parts else ""
    return f"{recorded.outputs.get('scoring_uri', 'The service')} stops answering{kept}."
