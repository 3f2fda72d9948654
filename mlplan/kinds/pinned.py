"""What a manifest leaves open, for `mlplan.lock` to pin: its environments and its URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.kinds.dataset.sources import is_url
from mlplan.kinds.deployment.desired import environment_of
from mlplan.lock.environment import environment_request, serving_requirements
from mlplan.lock.urls import public_url

if TYPE_CHECKING:
    from mlplan.lock.types import EnvironmentRequest
    from mlplan.manifest.resolved import Manifest


def asked_environments(manifest: Manifest) -> list[EnvironmentRequest]:
    """The environments of all runs and services, each once."""
    found: dict[str, EnvironmentRequest] = {}
    no_extra: tuple[str, ...] = ()
    for resource in manifest.resources.values():
        if resource.address.kind == "run":
            spec, extra = resource.spec.get("environment"), no_extra
        elif resource.address.kind == "deployment":
            spec, extra = environment_of(resource, manifest.resources), serving_requirements()
        else:
            continue
        if spec:
            request = environment_request(spec, root=manifest.root, extra=extra)
            found[request.digest] = request
    return list(found.values())


def asked_urls(manifest: Manifest) -> dict[str, str]:
    """{as the lock file names it: the URL} of all datasets."""
    return {
        public_url(source): source
        for resource in manifest.resources.values()
        if resource.address.kind == "dataset"
        for source in resource.spec["source"]
        if is_url(source)
    }
