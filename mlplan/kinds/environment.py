"""The Python environment of a run or an inference, as parts: what is asked for and what the lock pins."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from mlplan.fingerprint import Part, known, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from mlplan.address import Address
    from mlplan.kinds.protocol import Effects, Reading
    from mlplan.lock.types import EnvironmentRequest, LockedEnvironment
    from mlplan.targets.protocols import Environment


class Asked(NamedTuple):
    """An environment as asked for and, where `mlplan.lock` has it, as pinned."""

    request: EnvironmentRequest | None  # None: the interpreter that runs mlplan
    locked: LockedEnvironment | None
    extra: frozenset[str] = frozenset()  # what mlplan asks for beyond the manifest: the scoring runtime's packages


MLPLANS_OWN = Asked(None, None)


def read_environment(reading: Reading, spec: Mapping[str, Any] | None, *, serving: bool = False) -> Asked:
    """What `environment` asks for, looked up in the lock. Resolves nothing: a plan needs no network."""
    if not spec:
        return MLPLANS_OWN
    from mlplan.lock.environment import environment_request, serving_requirements

    extra = serving_requirements() if serving else ()
    request = environment_request(spec, root=reading.manifest.root, extra=extra)
    return Asked(request, reading.lock.environments.get(request.digest), frozenset(extra))


def environment_parts(asked: Asked, address: Address) -> dict[str, Part]:
    """Python's version, each package that is asked for, and what the lock pins for them."""
    if asked.request is None:
        return {"python": known("result", f"{sys.version_info.major}.{sys.version_info.minor}")}
    parts = {"python": known("result", asked.request.python)}
    for requirement in asked.request.requirements:
        if requirement in asked.extra:
            continue
        name, pin = split_requirement(requirement)
        parts[f"package {name}"] = known("result", pin)
    if asked.request.indexes:
        parts["package indexes"] = known("result", list(asked.request.indexes), show=False)
    if asked.locked is None:
        parts["locked packages"] = unknown("result", str(address))
    else:
        parts["locked packages"] = Part("result", asked.locked.digest)
    return parts


def split_requirement(requirement: str) -> tuple[str, str]:
    """A requirement as its name and what is asked of its version: (`scikit-learn`, `1.5.2`), (`numpy`, `>=2`)."""
    end = next((i for i, c in enumerate(requirement) if not (c.isalnum() or c in "-_.")), len(requirement))
    pin = requirement[end:].strip()
    exact = pin.startswith("==") and not pin.startswith("===") and "," not in pin
    return requirement[:end], pin[2:].strip() if exact else pin or "any version"


def locked_environment(asked: Asked, effects: Effects) -> Asked:
    """The same with its packages pinned: from `mlplan.lock`, or resolved now and written there."""
    if asked.request is None or asked.locked is not None:
        return asked
    return asked._replace(locked=effects.lock_environment(asked.request))


def target_environment(asked: Asked, root: str) -> Environment | None:
    """What a target builds; None for the interpreter that runs mlplan. `root` is the project's folder."""
    if asked.request is None or asked.locked is None:
        return None
    from mlplan.lock.resolve import requirements_text
    from mlplan.targets.protocols import Environment

    return Environment(asked.locked.digest, asked.locked.python, requirements_text(asked.request, asked.locked, root))
