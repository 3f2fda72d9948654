"""`mlplan rollback`: an earlier version back in service, shown as a plan first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.address import Address
from mlplan.cli.apply import ApplyOptions, apply_plan
from mlplan.cli.asking import confirm
from mlplan.cli.globals import Globals, tell
from mlplan.cli.planning import PlanOptions, addresses, plan_now, refuse_elsewhere, show
from mlplan.cli.project import Project, open_project
from mlplan.codes import plan as codes
from mlplan.errors import ExitCode, Refusal

if TYPE_CHECKING:
    from mlplan.manifest.resolved import Resource
    from mlplan.state.records import State


def run(options: Globals, address_text: str, version: int | None, yes: bool) -> ExitCode:
    """Puts model versions back: for a deployment all its models, for a model every deployment that serves it.

    Without a version, the one before the version that is served now.
    """
    project = open_project(options)
    state = project.workspace.log.read()
    (address,) = addresses([address_text], project.manifest.resources)
    pinned = pin(project, state, address, version)
    only = tuple(str(a) for a in pinned)
    resources = {**project.manifest.resources, **pinned}
    project = project._replace(manifest=project.manifest._replace(resources=resources))
    selecting = PlanOptions(only=only)
    planned = plan_now(project, state, selecting)
    command = f"mlplan rollback {address}" + (f" {version}" if version is not None else "")
    show(planned.plan, "text")
    if planned.plan.is_empty:
        return ExitCode.OK
    refuse_elsewhere(planned.plan.changes, planned.state, planned.survey.reading)
    if not yes:
        confirm("Roll back?", command)
    code = apply_plan(project, planned, selecting, ApplyOptions(yes=True, command=command))
    if code is ExitCode.OK:
        mentions = ", ".join(m for resource in pinned.values() for m in resource.spec["models"])
        tell(f"The next `mlplan apply` goes forward again. To stay, pin it in the manifest: models: [{mentions}]")
    return code


def pin(project: Project, state: State, address: Address, version: int | None) -> dict[Address, Resource]:
    """The deployments concerned, with their models pinned. Raises: Refusal where there is nothing to go back to."""
    resources = project.manifest.resources
    if address.kind == "deployment":
        deployments, models = [address], {m.partition(":")[0] for m in resources[address].spec["models"]}
    elif address.kind == "model":
        models = {address.name}
        deployments = [
            a
            for a, r in resources.items()
            if a.kind == "deployment" and serves(r, address.name) and a in state.resources
        ]
    else:
        deployments, models = [], set()
    if not deployments:
        hint = "Name a deployment, or a model that one serves:\n    mlplan service list"
        raise Refusal([codes.MLP5005.diagnostic(f"{address} is no service, and no service serves it.", hint=hint)])
    return {a: resources[a]._replace(spec=pinned_spec(resources[a], a, models, version, state)) for a in deployments}


def serves(resource: Resource, model: str) -> bool:
    """Whether a deployment serves a model."""
    return any(mention.partition(":")[0] == model for mention in resource.spec["models"])


def pinned_spec(
    resource: Resource, address: Address, models: set[str], version: int | None, state: State
) -> dict[str, object]:
    """The deployment's spec with these models pinned to a version, or to the one before what is served now."""
    recorded = state.resources.get(address)
    served = recorded.outputs.get("versions") if recorded else None
    pins = []
    for mention in resource.spec["models"]:
        name = mention.partition(":")[0]
        if name not in models:
            pins.append(mention)
            continue
        numbers = [v.number for v in state.versions.get(Address("model", name), ())]
        now = served.get(name) if isinstance(served, dict) else None
        wanted = version or max((n for n in numbers if isinstance(now, int) and n < now), default=None)
        if wanted not in numbers:
            known = ", ".join(map(str, numbers)) or "none"
            detail = f"model.{name} has no version {version or 'before the one in service'}; it has: {known}."
            raise Refusal([codes.MLP5005.diagnostic(detail, hint=f"List them:\n    mlplan model list {name}")])
        pins.append(f"{name}:{wanted}")
    return {**resource.spec, "models": pins}
