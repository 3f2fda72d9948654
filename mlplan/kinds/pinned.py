"""What a manifest leaves open, for `mlplan.lock` to pin: its environments and its URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.kinds.dataset.sources import is_url
from mlplan.kinds.deployment.desired import environment_of
from mlplan.lock.environment import environment_request, serving_requirements
from mlplan.lock.urls import public_url

if TYPE_CHECKING:
    from mlplan.address import Address
    from mlplan.lock.types import EnvironmentRequest
    from mlplan.manifest.resolved import Manifest


def asked_environments(manifest: Manifest) -> dict[Address, EnvironmentRequest]:
    """The environments of runs and services. Those that name none take the interpreter that runs mlplan."""
    found: dict[Address, EnvironmentRequest] = {}
    for address, resource in manifest.resources.items():
        if address.kind == "run" and (spec := resource.spec.get("environment")):
            found[address] = environment_request(spec, root=manifest.root)
        elif address.kind == "deployment" and (spec := environment_of(resource, manifest.resources)):
            found[address] = environment_request(spec, root=manifest.root, extra=serving_requirements())
    return found


def asked_urls(manifest: Manifest) -> dict[Address, dict[str, str]]:
    """{as the lock file names it: the URL}, by dataset."""
    return {
        address: {public_url(source): source for source in resource.spec["source"] if is_url(source)}
        for address, resource in manifest.resources.items()
        if address.kind == "dataset"
    }
