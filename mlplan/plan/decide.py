"""The one decision that plan and apply share: from desired, recorded and observed to one change.

Which action a difference asks for is data (`RULES`); `decide` reads it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mlplan.address import Address
from mlplan.fingerprint import Part, Parts, Role, fingerprint
from mlplan.json_types import Json
from mlplan.plan.changes import ACTIONS, QUIET, Action, Change, Forecast, Golden, Impact, Reason
from mlplan.state.records import Recorded, RunRecord, State
from mlplan.world import Drift


class Rules(NamedTuple):
    """What a kind's differences ask for."""

    first: Action  # where nothing is recorded
    same: Action  # where nothing differs
    mend: Action  # where the world differs from the state
    by_role: Mapping[Role, Action]


RULES: Mapping[str, Rules] = {
    # A compute is a record: jobs and services ask its target when they need it.
    "compute": Rules("create", "no-op", "update", {"result": "update", "replace": "replace", "label": "update"}),
    # New bytes are a new version; tags and descriptions belong to the record, not to a version.
    "dataset": Rules("register", "no-op", "register", {"result": "register", "label": "update"}),
    "run": Rules("run", "skip", "run", {"result": "run", "label": "update"}),
    # Gates are asked again when they are edited; the version stands.
    "model": Rules("register", "no-op", "register", {"result": "register", "check": "update", "label": "update"}),
    "inference": Rules("create", "no-op", "update", {"result": "update", "label": "update"}),
    # A service on another address can't be the same service: its clients have to move.
    "deployment": Rules(
        "create", "no-op", "update", {"result": "update", "replace": "replace", "check": "update", "label": "update"}
    ),
}


class Desired(NamedTuple):
    """What one resource should be, as far as it can be known now."""

    address: Address
    parts: Parts
    protect: bool = False
    details: Mapping[str, str] = {}  # more about a part, for its reason: "2 files changed (a.csv, b.csv)"
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()  # what can't be told of it, which is said even where nothing is to be done
    golden: tuple[Golden, ...] = ()  # what a service is asked before a change of it counts as done


class Known(NamedTuple):
    """What a resource hands to those that need it, as far as it can be known now."""

    outputs: Mapping[str, Json] | None  # None: known after apply
    detail: str = ""  # what changed about it, for the reasons of its dependants


def decide(desired: Desired, state: State, drift: tuple[Drift, ...] = (), *, forced: bool = False) -> Change:
    """The change that one declared resource needs.

    With `forced`, a resource that would be left alone is made anew. The drift is mended by the kind's own action.
    """
    address = desired.address
    rules = RULES[address.kind]
    recorded = state.resources.get(address)
    reasons, waits = differences(desired, recorded)
    actions: list[Action] = [
        rules.by_role[_role(reason.subject, desired.parts, recorded)] for reason in reasons if reason.cause != "new"
    ]
    reasons += [Reason("drift", d.subject, d.before, d.after, d.problem) for d in drift]
    actions += [rules.mend] * bool(drift)
    if recorded is None:
        actions = [rules.first]
    interrupted = [i for i in state.intents.values() if i.address == address]
    if interrupted:
        reasons.append(Reason("interrupted", interrupted[0].action))
        actions.append(rules.first if recorded is None else rules.mend)
    if forced:
        reasons.append(Reason("forced", "--replace"))
        actions.append("replace" if address.kind == "deployment" else rules.first)
    action = max(actions, key=ACTIONS.index, default=rules.same)
    kept = None
    if address.kind == "run" and action == "run" and not forced:
        mark = fingerprint(desired.parts)
        kept = state.kept_run(address, mark) if mark and not drift else None
        action = "restore" if kept else action
    # Waiting for others is a condition only where nothing else asks for the change.
    only_waits = recorded is not None and bool(waits) and all(reason.cause == "upstream" for reason in reasons)
    return Change(
        address=address,
        action=action,
        reasons=tuple(reasons),
        before=recorded.parts if recorded else {},
        after=desired.parts,
        conditional=tuple(waits) if only_waits else (),
        drift=drift,
        forecast=_forecast(address, state) if action == "run" else None,
        impact=_impact(address, action, reasons, desired.parts, recorded),
        notes=(*desired.doubts, *(desired.notes if action not in ("no-op", "skip") else ())),
        yields=_yields(action, recorded, kept),
        golden=desired.golden if action not in QUIET else (),
    )


def differences(desired: Desired, recorded: Recorded | None) -> tuple[list[Reason], list[Address]]:
    """How desired and recorded parts differ, in the order of the desired parts, and the addresses that a part
    still waits for."""
    if recorded is None:
        return [Reason("new", str(desired.address))], []
    reasons: list[Reason] = []
    own: list[Reason] = []
    waits: dict[Address, None] = {}
    for name, part in desired.parts.items():
        if part.role == "mark":
            continue
        old = recorded.parts.get(name)
        detail = desired.details.get(name, "")
        if part.digest is None and part.value == str(desired.address):
            own.append(Reason("unpinned", name, old.value if old else None, None, detail))
        elif part.digest is None:
            kind, _, upstream = str(part.value).partition(".")
            waits[Address(kind, upstream)] = None
            reasons.append(Reason("upstream", name, old.value if old else None, part.value, detail))
        elif old is None:
            reasons.append(Reason("added", name, None, part.value, detail))
        elif old.digest != part.digest:
            reasons.append(Reason("changed", name, old.value, part.value, detail))
    for name, old in recorded.parts.items():
        if name not in desired.parts and old.role != "mark":
            reasons.append(Reason("removed", name, old.value))
    if recorded.protect != desired.protect:
        reasons.append(Reason("changed", "protect", recorded.protect, desired.protect))
    # What isn't pinned yet follows from an edit that is named already; alone, it is the reason.
    return reasons or own, list(waits)


def _role(subject: str, desired: Parts, recorded: Recorded | None) -> Role:
    """The role of a differing part. `protect` is no part: it only changes the record."""
    part: Part | None = desired.get(subject) or (recorded.parts.get(subject) if recorded else None)
    return part.role if part else "label"


def _forecast(address: Address, state: State) -> Forecast | None:
    """What the newest completed run of this address cost."""
    for record in reversed(state.runs.get(address, ())):
        if record.status == "Completed":
            return Forecast(record.duration_s, record.peak_memory_bytes)
    return None


def _yields(action: Action, recorded: Recorded | None, kept: RunRecord | None) -> Mapping[str, Json] | None:
    """What the resource hands on, where the change leaves or restores something known."""
    if kept is not None:
        return run_outputs(kept)
    if recorded is not None and action in ("no-op", "skip"):
        return recorded.outputs
    return None


def run_outputs(record: RunRecord) -> dict[str, Json]:
    """What a completed run hands on."""
    return {
        "id": record.id,
        "outputs": record.outputs,
        "logs": record.logs,
        "metrics": dict(record.metrics),
        "duration_s": record.duration_s,
        "peak_memory_bytes": record.peak_memory_bytes,
    }


CONTRACT = frozenset({"host", "port", "auth", "timeout", "max_body", "compute", "compute type", "python"})
"""Parts of a deployment that its clients notice. Its packages count too: they are the environment of the answer."""

LABELS: frozenset[Role] = frozenset({"label"})


def _impact(
    address: Address, action: Action, reasons: list[Reason], desired: Parts, recorded: Recorded | None
) -> Impact:
    """The class of a change, the worst first. What a deployment takes over from its inference, `make_plan` adds."""
    if action in ("no-op", "skip"):
        return "none"
    if action == "run":
        return "retrain"
    if address.kind in ("compute", "dataset", "run"):
        return "cosmetic"
    if address.kind == "model":
        return "serve-only" if action == "register" else "cosmetic"
    edits = [reason for reason in reasons if reason.cause in ("changed", "added", "removed", "upstream", "unpinned")]
    if (
        recorded is not None
        and reasons == edits
        and LABELS.issuperset(_role(r.subject, desired, recorded) for r in edits)
    ):
        return "cosmetic"
    if address.kind == "deployment":
        renamed = recorded is not None and _model_digests(recorded.parts) == _model_digests(desired)
        notice = recorded is None or any(_clients_notice(reason, renamed) for reason in edits)
        return "contract" if notice else "serve-only"
    # Of an inference all that decides the answer counts, but for variables and secrets: those tune or connect it.
    decisive = [
        reason
        for reason in edits
        if _role(reason.subject, desired, recorded) == "result" and not reason.subject.startswith(("env ", "secret "))
    ]
    return "contract" if decisive else "serve-only"


def _clients_notice(reason: Reason, renamed: bool) -> bool:
    """Whether the clients of a service notice that this part of it differs. `renamed`: its models are the same ones,
    whatever they are called."""
    kind = reason.subject.partition(" ")[0]
    if reason.cause in ("added", "removed") and (kind == "inference" or (kind == "model" and not renamed)):
        return True
    return reason.subject in CONTRACT or kind == "package" or reason.subject == "locked packages"


def _model_digests(parts: Parts) -> list[str]:
    return sorted(part.digest or "" for name, part in parts.items() if name.startswith("model "))
