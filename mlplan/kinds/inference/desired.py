"""An inference, planned: the code that services answer with.

Its environment is a part of the deployments that use it: an inference that names none is served in the environment
of the run that made the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlplan.fingerprint import Part, fingerprint, known
from mlplan.kinds.code import NO_CODE, Code, read_code
from mlplan.kinds.references import reference_parts
from mlplan.kinds.secrets import Secrets, read_secrets
from mlplan.plan.decide import Desired
from mlplan.world import Drift

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.json_types import Json
    from mlplan.kinds.protocol import Reading
    from mlplan.manifest.resolved import Resource
    from mlplan.manifest.specs import InferenceSpec
    from mlplan.plan.changes import Change
    from mlplan.plan.make import Lookup
    from mlplan.state.records import Recorded, State


class Facts(NamedTuple):
    """What is read for an inference."""

    code: Code
    secrets: Secrets


def read(resource: Resource, reading: Reading) -> Facts:
    """Its source folder and its secrets' digests."""
    spec: InferenceSpec = resource.spec
    entry = spec.get("entry_script")
    code = read_code(reading, resource, (entry,)) if entry else NO_CODE
    return Facts(code, read_secrets(resource, reading))


def desired(resource: Resource, facts: Facts, lookup: Lookup, state: State) -> Desired:
    """Entry script, code and variables decide what a service answers."""
    spec: InferenceSpec = resource.spec
    parts: dict[str, Part] = {}
    if spec.get("entry_script"):
        parts["entry script"] = known("result", spec["entry_script"])
    parts.update(facts.code.parts)
    for name, value in (spec.get("env") or {}).items():
        parts[f"env {name}"] = known("result", value)
    references, details = reference_parts(resource, lookup)
    parts.update(references)
    parts.update(facts.secrets.parts)
    notes = (facts.code.note, *facts.code.notes) if facts.code.note else ()
    return Desired(resource.address, parts, details=details, notes=notes, doubts=facts.secrets.doubts)


def drift(recorded: Recorded, reading: Reading) -> tuple[Drift, ...]:
    """Kept code that is missing or damaged."""
    code = recorded.outputs.get("code")
    problems = reading.artifacts.problems(str(code)) if code else ()
    return tuple(Drift(f"kept code {path}", "missing or damaged") for path in problems)


def yields(change: Change, facts: Facts, state: State) -> Mapping[str, Json] | None:
    """Its fingerprint."""
    mark = fingerprint(change.after)
    return {"fingerprint": mark} if mark else None


def loss(recorded: Recorded, state: State) -> str:
    """What removing it from the manifest means."""
    return "Only the record goes; services that run on it keep their own copy of the code."
