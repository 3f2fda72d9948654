"""A deployment, applied: a candidate is started beside what serves, asked, and only then put in its place."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

from mlplan.address import Address
from mlplan.codes import apply as codes
from mlplan.errors import ExitCode, Refusal
from mlplan.events import DiagnosticRaised, StageReached
from mlplan.kinds.deployment.collected import collected_path
from mlplan.kinds.deployment.desired import generation_of, host_of, scoring_uri, served_digest
from mlplan.kinds.deployment.keys import service_keys
from mlplan.kinds.deployment.verify import Verdict, verify
from mlplan.kinds.environment import locked_environment, target_environment
from mlplan.kinds.filling import Filling
from mlplan.kinds.placing import labels_of, refuse_errors, resources_of, under_root
from mlplan.kinds.protocol import Performed
from mlplan.manifest.service_settings import collect_settings, runtime_settings
from mlplan.state.entries import SwitchStopped
from mlplan.targets.protocols import ServedModel, ServiceSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.json_types import Json
    from mlplan.kinds.deployment.desired import Facts
    from mlplan.kinds.protocol import Attempt, Effects
    from mlplan.manifest.resolved import Resource
    from mlplan.manifest.specs import DeploymentSpec
    from mlplan.plan.changes import Change
    from mlplan.state.records import Recorded
    from mlplan.targets.protocols import Endpoint


def prepare(resource: Resource, facts: Facts, effects: Effects) -> Facts:
    """Pins the packages of a service that names no environment of its own."""
    return facts._replace(environment=locked_environment(facts.environment, effects))


def perform(resource: Resource, facts: Facts, change: Change, attempt: Attempt, effects: Effects) -> Performed:
    """Deploys, and reads back what is served. Raises: Refusal where the candidate isn't good; what served before
    goes on serving, unless it was on another target and has the port."""
    services = effects.reading.target(resource.spec["compute"]).services
    spec = service_spec(resource, facts, attempt, effects)
    left = _on_another_target(resource, facts, effects)
    has_port = left is not None and left.parts["port"].value == spec.port
    in_the_way = () if has_port else services.in_the_way(spec.name, spec.host, spec.port)
    for warning in refuse_errors([*services.check(spec), *in_the_way]):
        effects.emit(DiagnosticRaised(warning))
    if left is not None and has_port:  # no target can take a port over from another one
        remove(left, effects)

    candidate = _Candidate(resource, spec, attempt, effects)
    seen = services.deploy(spec, candidate.ask, candidate.progress)
    if left is not None and not has_port:
        remove(left, effects)
    return Performed(
        {
            "scoring_uri": seen.scoring_uri or scoring_uri(change.after),
            "digest": spec.digest,
            "models": {model.name: model.digest for model in spec.models},
            "versions": {model.name: model.version for model in spec.models},
            "compute": resource.spec["compute"],
            "checkout": {**effects.checkout},
            "key": attempt.key,
            "attempt": attempt.number,
            **({"golden": {**candidate.reports}} if candidate.reports else {}),
        }
    )


class NotSwitched(Refusal):
    """A candidate that answers otherwise than it may. The executor records what golden requests came to, for the next
    plan to tell."""

    def __init__(self, verdict: Verdict, stopped: SwitchStopped) -> None:
        self.entries = (stopped,) if verdict.reports else ()
        self.outputs: Mapping[str, Json] = {"golden": {**verdict.reports}} if verdict.reports else {}
        exit_code = ExitCode.REFUSED if verdict.exceeded else ExitCode.FAILED
        super().__init__([*verdict.wrong, *verdict.exceeded], exit_code)


class _Candidate:
    """A service on its way up: what it is asked, what is told of it, and when its start is called off."""

    def __init__(self, resource: Resource, spec: ServiceSpec, attempt: Attempt, effects: Effects) -> None:
        self._resource = resource
        self._spec = spec
        self._attempt = attempt
        self._effects = effects
        self._told = ("", "")
        self._passed = False
        self.reports: Mapping[str, Json] = {}  # what golden requests came to

    def ask(self, endpoint: Endpoint) -> None:
        """Raises: Refusal where it must not take traffic."""
        verdict = verify(self._resource, endpoint, self._spec, self._effects)
        if verdict.wrong or verdict.exceeded:
            recorded = self._effects.state().resources.get(self._resource.address)
            live = generation_of(recorded.parts) if recorded else ""
            stopped = SwitchStopped(self._resource.address, self._attempt.fingerprint, live, verdict.reports)
            raise NotSwitched(verdict, stopped)
        self.reports = verdict.reports
        self._effects.ensure()  # nobody else can touch the service now, and the next step puts it in its place
        self._passed = True

    def progress(self, stage: str, detail: str) -> None:
        """Tells what is new. Raises: Refusal where the user asks to stop, until it has passed its tests."""
        address = self._resource.address
        if self._effects.stop.is_set() and not self._passed:
            text = f"{address} was being brought up when the apply was asked to stop."
            raise Refusal([codes.MLP7005.diagnostic(text, address=address)], ExitCode.INTERRUPTED)
        if self._told != (stage, detail):
            self._told = (stage, detail)
            self._effects.emit(StageReached(address, stage, detail))


def _on_another_target(resource: Resource, facts: Facts, effects: Effects) -> Recorded | None:
    """The service as it was deployed on a compute of another type, or None."""
    recorded = effects.state().resources.get(resource.address)
    return recorded if recorded and recorded.parts["compute type"].value != facts.compute_type else None


def service_spec(resource: Resource, facts: Facts, attempt: Attempt, effects: Effects) -> ServiceSpec:
    """All that a target needs to host the service."""
    spec: DeploymentSpec = resource.spec
    manifest = effects.reading.manifest
    models = tuple(served_model(mention, effects) for mention in spec["models"])
    inference = manifest.resources[Address("inference", spec["inference"])] if spec["inference"] else None
    code = code_name = entry = None
    filling = Filling(effects)
    environment = target_environment(facts.environment, manifest.root)
    env: dict[str, str] = {}
    if inference is not None:
        env = {name: filling.text_here(value) for name, value in inference.spec["env"].items()}
        entry = inference.spec["entry_script"]
        if entry:
            outputs = effects.known(inference.address).outputs or {}
            code = effects.reading.artifacts.view(str(outputs["code"]))
            code_name = os.path.basename(os.path.normpath(os.path.join(manifest.root, inference.spec["source"])))
    return ServiceSpec(
        key=attempt.key,
        name=resource.address.name,
        project=manifest.project,
        models=models,
        digest=served_digest({model.name: model.digest for model in models}),
        code=code,
        code_name=code_name or "",
        entry_script=entry,
        env=env,
        environment=environment,
        host=spec["host"],
        port=spec["port"],
        replicas=spec["replicas"],
        resources=resources_of(spec["resources"]),
        keys_file=service_keys(effects.home, resource.address.name) if spec["auth"] == "key" else None,
        settings=runtime_settings(spec),
        labels=labels_of(resource, attempt, effects),
        about=_about(resource, inference, effects),
        collect=collect_settings(spec, collected_path(effects.home, resource.address.name), env),
        secrets=tuple(filling.secrets.values()),
    )


def _about(resource: Resource, inference: Resource | None, effects: Effects) -> dict[str, Json]:
    """What the service tells of itself: the digests of its code and of the manifest, and a request as an example."""
    found: dict[str, Json] = {"manifest_digest": effects.reading.manifest.digest}
    if inference is not None and inference.spec["entry_script"]:
        found["code_digest"] = str((effects.known(inference.address).outputs or {})["code"])
    first = next((test["request"] for test in resource.spec["test"] if test["request"]), None)
    if first is not None:
        with contextlib.suppress(ValueError, OSError), open(under_root(first, effects), encoding="utf-8") as stream:
            found["sample"] = json.load(stream)
    return found


def served_model(mention: str, effects: Effects) -> ServedModel:
    """A model by `name` (the current version) or `name:3`, its bytes at hand."""
    name, _, pinned = mention.partition(":")
    address = Address("model", name)
    versions = effects.state().versions.get(address, ())
    outputs = effects.known(address).outputs or {}
    number = int(pinned) if pinned else int(str(outputs["version"]))
    version = next((v for v in versions if v.number == number), None)
    if version is None:
        known = ", ".join(str(v.number) for v in versions) or "none"
        raise Refusal(
            [
                codes.MLP7031.diagnostic(
                    f"{address} has no version {number}; its versions are: {known}.",
                    hint=f"List them:\n    mlplan model list {name}",
                    address=address,
                )
            ]
        )
    framework = version.details.get("framework")
    return ServedModel(
        name,
        number,
        version.digest,
        effects.reading.artifacts.view(version.digest),
        str(framework.get("name", "")) if isinstance(framework, dict) else "",
    )


def remove(recorded: Recorded, effects: Effects) -> None:
    """Ends the service: no process and no open port stays."""
    effects.ensure()
    host_of(recorded, effects.reading.target).delete(recorded.address.name)
