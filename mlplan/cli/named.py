"""Names on the command line: `train` for `run.train`, `mymodel:2` for a version; the nearest one for a misspelt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.address import Address
from mlplan.codes import plan as codes
from mlplan.diagnostics import nearest
from mlplan.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlplan.state.records import State, Version


def of_name(kind: str, name: str, known: Iterable[Address]) -> Address:
    """The address of a resource of this kind. Raises: Refusal where there is none of this name."""
    names = sorted(address.name for address in known if address.kind == kind)
    name = name.removeprefix(f"{kind}.")
    if name in names:
        return Address(kind, name)
    near = nearest(name, names)
    there = ", ".join(names) or "none yet; `mlplan apply` makes them"
    hint = f'Did you mean "{near}"?' if near else f"There are: {there}."
    raise Refusal([codes.MLP5001.diagnostic(f"No {kind} is recorded as `{name}`.", hint=hint)])


def version_of(kind: str, mention: str, state: State) -> tuple[Address, Version]:
    """The version that `name:number` means, or with `name` alone the newest. Raises: Refusal where there is none."""
    name, _, number = mention.partition(":")
    address = of_name(kind, name, state.versions)
    versions = state.versions[address]
    if not number:
        return address, versions[-1]
    found = next((version for version in versions if str(version.number) == number), None)
    if found is None:
        there = ", ".join(str(version.number) for version in versions)
        raise Refusal([codes.MLP5001.diagnostic(f"{address} has no version {number}.", hint=f"It has: {there}.")])
    return address, found
