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

    from mlplan.address import Address
    from mlplan.diagnostics import Diagnostic
    from mlplan.manifest.resolved import Manifest, Resource


def data_in_code(manifest: Manifest) -> list[Diagnostic]:
    """A warning for each source folder with data of a dataset in it that isn't referred to: it counts as code."""
    users: dict[str, list[Resource]] = {}
    for address, resource in manifest.resources.items():
        if address.kind in ("run", "inference") and resource.spec.get("source"):
            users.setdefault(str(resource.spec["source"]), []).append(resource)
    problems: list[Diagnostic] = []
    for source, resources in users.items():
        try:
            held = _data_below(source, manifest)
        except Refusal as refusal:
            problems += refusal.diagnostics
            continue
        for user in resources:
            problems += _problem(user, held, manifest)
    return problems


def _data_below(source: str, manifest: Manifest) -> dict[Address, dict[str, int]]:
    """By dataset, the files of it that are packed with a source folder, with their sizes. Python files are left out:
    they count by their meaning, wherever they lie. Raises: Refusal where the folder can't be packed."""
    datasets = [resource for address, resource in manifest.resources.items() if address.kind == "dataset"]
    near = [dataset for dataset in datasets if may_be_below(dataset.spec["source"], source)]
    if not near:
        return {}
    packed = snapshot(os.path.join(manifest.root, source)).files
    names = {os.path.normpath(name_of(source, path)): here for path, here in packed.items() if path[-3:] != ".py"}
    found = {}
    for dataset in near:
        is_data = named_by(dataset.spec["source"])
        data = {name: os.path.getsize(here) for name, here in names.items() if is_data(name)}
        if data:
            found[dataset.address] = data
    return found


def _problem(resource: Resource, held: Mapping[Address, Mapping[str, int]], manifest: Manifest) -> list[Diagnostic]:
    """A warning for all data in a resource's source folder that it doesn't refer to, nothing where there is none."""
    is_counted = counted_elsewhere(resource, manifest)
    left: dict[str, int] = {}
    datasets = []
    for dataset, data in held.items():
        files = {name: size for name, size in data.items() if not is_counted(name)}
        left |= files
        datasets += [dataset] if files else []
    if not datasets:
        return []
    first, size = next(iter(left)), readable_size(sum(left.values()))
    named = f"{datasets[0]} and {len(datasets) - 1:,} more datasets" if len(datasets) > 1 else str(datasets[0])
    many = f"{first} and {len(left) - 1:,} more files" if len(left) > 1 else first
    return [
        codes.MLP5106.diagnostic(
            f"The source folder of {resource.address} holds data of {named}: {many} ({size}). Each change of it "
            "counts as one of the code.",
            hint=f"Where it reads the data, say so by ${{{{ {datasets[0]}.path }}}}. Where it doesn't, list it in "
            f"{name_of(str(resource.spec['source']), '.mlplanignore')}.",
            labels=[Label(manifest.places.get(f"{resource.address}.source", resource.place), "holds data, too")],
            address=resource.address,
        )
    ]
