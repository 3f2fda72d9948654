"""What a manifest leaves open, for `mlplan.lock` to pin: its environments and its URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.codes import plan as codes
from mlplan.diagnostics import Label
from mlplan.kinds.dataset.sources import is_url
from mlplan.kinds.deployment.desired import environment_of
from mlplan.lock.environment import environment_request, serving_requirements
from mlplan.lock.urls import public_url, shows_credentials

if TYPE_CHECKING:
    from mlplan.address import Address
    from mlplan.diagnostics import Diagnostic
    from mlplan.lock.types import EnvironmentRequest
    from mlplan.manifest.resolved import Manifest
    from mlplan.source import Span


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


def exposed_credentials(manifest: Manifest) -> list[Diagnostic]:
    """A warning for each URL that holds a credential in the clear."""
    return [
        codes.MLP5105.diagnostic(
            f"{public_url(source)} is asked for with a credential that everybody who reads this can use.",
            hint="Make it a secret, and mention it in the URL as `${{ secret.NAME }}`.",
            labels=[Label(_place(manifest, address, position), "in the clear")],
            address=address,
        )
        for address, resource in manifest.resources.items()
        if address.kind == "dataset"
        for position, source in enumerate(resource.spec["source"])
        if is_url(source) and shows_credentials(source)
    ]


def _place(manifest: Manifest, address: Address, position: int) -> Span:
    """Where a source of a dataset is written: as an item of a list, or alone."""
    item = manifest.places.get(f"{address}.source.{position}")
    return manifest.places[f"{address}.source"] if item is None else item
