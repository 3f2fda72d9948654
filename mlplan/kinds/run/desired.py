"""A run, planned: everything that decides its outputs, as parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlplan.address import Address
from mlplan.fingerprint import Part, known
from mlplan.kinds.code import NO_CODE, Code, read_code
from mlplan.kinds.elsewhere import elsewhere
from mlplan.kinds.environment import Asked, environment_parts, read_environment
from mlplan.kinds.references import reference_parts, written
from mlplan.kinds.secrets import Secrets, read_secrets
from mlplan.kinds.versions import stay
from mlplan.plan.decide import Desired
from mlplan.world import Drift

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlplan.json_types import Json
    from mlplan.kinds.protocol import Reading
    from mlplan.manifest.resolved import Resource
    from mlplan.manifest.specs import RunSpec
    from mlplan.plan.changes import Change
    from mlplan.plan.make import Lookup
    from mlplan.state.records import Recorded, State


class Facts(NamedTuple):
    """What is read for a run."""

    code: Code
    environment: Asked
    compute_type: str
    base_image: str | None  # of a compute whose runs are in containers
    secrets: Secrets
    here: Mapping[str, Json]  # this checkout


def read(resource: Resource, reading: Reading) -> Facts:
    """Its source folder, its environment, its secrets' digests."""
    spec: RunSpec = resource.spec
    code = read_code(reading, resource, scripts_of(spec)) if spec.get("source") else NO_CODE
    compute = reading.manifest.resources[Address("compute", spec["compute"])]
    return Facts(
        code,
        read_environment(reading, spec.get("environment")),
        compute.spec["type"],
        compute.spec.get("base_image"),
        read_secrets(resource, reading),
        reading.here,
    )


def scripts_of(spec: Mapping[str, object]) -> tuple[str, ...]:
    """The Python files that a run starts from, relative to its source; empty where a command names none."""
    script = spec.get("script")
    if isinstance(script, str):
        return (script,)
    command = spec.get("command")
    words = command if isinstance(command, (list, tuple)) else ()
    return tuple(word for word in words if isinstance(word, str) and word.endswith(".py"))


def desired(resource: Resource, facts: Facts, lookup: Lookup, state: State) -> Desired:
    """Script, arguments, code, environment, variables and what it refers to decide its outputs; its timeout and
    its limits don't."""
    spec: RunSpec = resource.spec
    parts: dict[str, Part] = {}
    if spec.get("script"):
        parts["script"] = known("result", spec["script"])
    else:
        parts["command"] = known("result", " ".join(spec["command"] or ()))
    parts.update(argument_parts(spec.get("arguments") or ()))
    references, details = reference_parts(resource, lookup)
    parts.update(references)
    parts.update(facts.code.parts)
    parts.update(environment_parts(facts.environment, resource.address))
    for name, value in (spec.get("env") or {}).items():
        parts[f"env {name}"] = known("result", value)
    parts.update(facts.secrets.parts)
    parts["compute type"] = known("result", facts.compute_type)
    if facts.base_image:
        parts["compute base_image"] = known("result", facts.base_image)
    for field in ("compute", "timeout", "resources", "description"):
        said = written(spec.get(field))
        if said not in (None, "", {}):
            parts[field] = known("label", said)
    for key, value in (spec.get("tags") or {}).items():
        parts[f"tag {key}"] = known("label", value)
    notes = (facts.code.note, *facts.code.notes) if facts.code.note else ()
    notes += tuple(_last_failure(resource.address, state))
    doubts = (*facts.secrets.doubts, *_may_still_run(resource.address, state, facts.here))
    return Desired(resource.address, parts, details=details, notes=notes, doubts=doubts)


def _last_failure(address: Address, state: State) -> Iterator[str]:
    """How it ended the last time, where that left nothing to use."""
    last = next(reversed(state.runs.get(address, ())), None)
    if last is not None and last.status != "Completed":
        exited = "" if last.exit_code is None else f", exit code {last.exit_code}"
        why = f": {last.ended_by.rstrip('.')}" if last.ended_by else exited
        how = "was canceled" if last.status == "Canceled" else f"failed{why}"
        yield f"the last time it {how} (mlplan run logs {address.name})"


def _may_still_run(address: Address, state: State, here: Mapping[str, Json]) -> Iterator[str]:
    """Where jobs of it were begun that nobody here can look at."""
    for intent in state.intents.values():
        if intent.address == address and (away := elsewhere(intent.detail, here)):
            yield f"begun from {away}, it may still run there: an apply there takes it over, one here runs it anew"


def argument_parts(arguments: Sequence[str]) -> dict[str, Part]:
    """A part for each option with its values, and for each argument that belongs to none.

    `--regularization 0.01` is the part `--regularization`, so that a plan can say `--regularization 0.01 -> 0.5`.
    The order counts as well, as a part that is only named when nothing else changed.
    """
    named: dict[str, list[str]] = {}
    name = ""
    for position, word in enumerate(arguments, start=1):
        if word.startswith("-") and not _is_number(word):
            option, equals, value = word.partition("=")
            name = option
            named.setdefault(name, []).extend([value] if equals else [])
        else:
            named.setdefault(name or f"argument {position}", []).append(word)
    parts = {option: known("result", " ".join(values)) for option, values in named.items()}
    if len(parts) > 1:
        parts["order of arguments"] = known("result", list(named), show=False)
    return parts


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def drift(recorded: Recorded, reading: Reading) -> tuple[Drift, ...]:
    """Kept outputs that are missing or damaged."""
    outputs = recorded.outputs.get("outputs")
    problems = reading.artifacts.problems(str(outputs)) if outputs else ()
    return tuple(Drift(f"kept output {path}", "missing or damaged") for path in problems)


def yields(change: Change, facts: Facts, state: State) -> Mapping[str, Json] | None:
    """Nothing: what a run yields is known when it has run. (`decide` knows what a restored one does.)"""
    if change.action == "update":  # only its labels changed
        recorded = state.resources.get(change.address)
        return recorded.outputs if recorded else None
    return None


def loss(recorded: Recorded, state: State) -> str:
    """What removing it from the manifest means."""
    kept = stay(len(state.runs.get(recorded.address, ())), "recorded run")
    return f"Nothing runs it any more; {kept} with the outputs until `mlplan gc`."
