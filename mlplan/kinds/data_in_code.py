"""Tells of data among the code: files of a dataset in the `source` folder of a run or an inference that doesn't refer
to it. They count as code there, since the script may well read them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlplan.codes import plan as codes
from mlplan.diagnostics import Label
from mlplan.errors import Refusal
from mlplan.kinds.code import counted_elsewhere, name_of
from mlplan.kinds.dataset.sources import may_be_below, named_by
from mlplan.kinds.run.snapshot import readable_size, snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.diagnostics import Diagnostic
    from mlplan.manifest.resolved import Manifest, Resource


def data_in_code(manifest: Manifest) -> list[Diagnostic]:
    """A warning for each source folder with data of a dataset in it that isn't referred to: it counts as code."""
    datasets = [resource for address, resource in manifest.resources.items() if address.kind == "dataset"]
    users: dict[str, list[Resource]] = {}
    for address, resource in manifest.resources.items():
        if address.kind in ("run", "inference") and resource.spec.get("source"):
            users.setdefault(str(resource.spec["source"]), []).append(resource)
    problems: list[Diagnostic] = []
    for source, resources in users.items():
        near = [dataset for dataset in datasets if may_be_below(dataset.spec["source"], source)]
        try:
            packed = snapshot(os.path.join(manifest.root, source)).files if near else {}
        except Refusal as refusal:
            problems += refusal.diagnostics
            continue
        for user in resources:
            problems += [found for dataset in near for found in _data_in(user, dataset, packed, manifest)]
    return problems


def _data_in(
    resource: Resource, dataset: Resource, packed: Mapping[str, str], manifest: Manifest
) -> list[Diagnostic]:
    """What is to tell of one dataset's files among the packed ones of a resource: one warning, or nothing."""
    source = str(resource.spec["source"])
    is_data, is_counted = named_by(dataset.spec["source"]), counted_elsewhere(resource, manifest)
    names = {path: os.path.normpath(name_of(source, path)) for path in packed if not path.endswith(".py")}
    held = [path for path, name in names.items() if is_data(name) and not is_counted(name)]
    if not held:
        return []
    many = f"{names[held[0]]} and {len(held) - 1:,} more" if len(held) > 1 else names[held[0]]
    size = readable_size(sum(os.path.getsize(packed[path]) for path in held))
    return [
        codes.MLP5106.diagnostic(
            f"The source folder of {resource.address} holds data of {dataset.address}: {many} ({size}). Each change "
            "of it counts as one of the code.",
            hint=f"Where it reads the data, say so by ${{{{ {dataset.address}.path }}}}. Where it doesn't, list it "
            f"in {name_of(source, '.mlplanignore')}.",
            labels=[Label(manifest.places.get(f"{resource.address}.source", resource.place), "holds data, too")],
            address=resource.address,
        )
    ]
