"""A plan as JSON, and back: for machines, and as the plan file that `show FILE` and `apply FILE` read again.

Terraform's names stand where the meaning is the same, so that what reads its plans finds its way; what mlplan adds
has names of its own. The shape is published as `schemas/plan.json` (made from `shapes/plan.py`). The same plan gives
the same bytes; a digest inside tells whether a file was altered.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import mlplan
from mlplan.address import Address, parse_address
from mlplan.codes import read as codes
from mlplan.errors import Refusal
from mlplan.fingerprint import Part, Parts
from mlplan.json_types import digest_of
from mlplan.plan.changes import ACTIONS, Action, Change, Forecast, Golden, Plan, Reason
from mlplan.plan.make import Selection
from mlplan.views import words
from mlplan.views.plan_context import NO_CONTEXT, Context
from mlplan.views.summary import summary
from mlplan.world import Drift

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.json_types import Json

FORMAT_VERSION = "1.1"
"""The second number grows with what is added, the first with what readers must know of."""

Document = dict[str, Any]

TERRAFORM_ACTIONS: Mapping[Action, tuple[str, ...]] = {"replace": ("delete", "create")}
"""Actions that Terraform spells as several."""


class PlanFile(NamedTuple):
    """A plan as it was written to a file, and by which mlplan."""

    plan: Plan
    mlplan_version: str
    context: Context


# -- writing ---------------------------------------------------------------------------------------------------------


def render(plan: Plan, *, context: Context = NO_CONTEXT) -> str:
    """The plan as JSON text, ending in a line feed."""
    return json.dumps(document(plan, context), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def document(plan: Plan, context: Context = NO_CONTEXT) -> Document:
    """The plan as a JSON value, its integrity digest included."""
    made: Document = {
        "format_version": FORMAT_VERSION,
        "mlplan_version": mlplan.__version__,
        "project": plan.project,
        "lineage": plan.lineage,
        "serial": plan.serial,
        "manifest_digest": plan.manifest_digest,
        "base": context.base,
        "applyable": not plan.is_empty and not context.base,
        "complete": context.complete,
        "selection": {name: _addresses(context, name) for name in ("only", "exclude", "replace")},
        "notes": list(context.notes),
        "summary": summary(plan, context.base),
        "resource_changes": [_change(change, context) for change in plan.changes],
        "resource_drift": [_drift(change) for change in plan.changes if change.drift],
        "checks": [check for change in plan.changes for check in _checks(change)],
        "outputs": _sorted(plan.outputs),
    }
    return {**made, "digest": digest_of(made)}


def _addresses(context: Context, name: str) -> list[str]:
    return sorted(map(str, getattr(context.selection, name, ())))


def _change(change: Change, context: Context) -> Document:
    made: Document = {
        "address": str(change.address),
        "type": change.address.kind,
        "name": change.address.name,
        "change": {
            "actions": list(TERRAFORM_ACTIONS.get(change.action, (change.action,))),
            "before": _shown(change.before),
            "after": None if change.action == "delete" else _shown(change.after),
            "after_unknown": {name: True for name, part in sorted(change.after.items()) if part.digest is None},
        },
        "action": change.action,
        "action_reason": _action_reason(change),
        "reasons": [_reason(reason, change) for reason in change.reasons],
        "impact": change.impact,
        "conditional": [str(address) for address in change.conditional],
        "forecast": change.forecast._asdict() if change.forecast else None,
        "loss": change.loss,
        "notes": list(change.notes),
        "yields": None if change.yields is None else _sorted(change.yields),
        "fingerprint": {"before": _fingerprint(change.before), "after": _fingerprint(change.after)},
    }
    if change.golden:
        made["golden_requests"] = [_golden(golden) for golden in change.golden]
    if context.attribution and not change.is_quiet:
        made["attribution"] = context.attribution.get(change.address, "this-change")
    return made


def _golden(golden: Golden) -> Document:
    made = {**golden._asdict(), "limits": dict(golden.limits), "missed": list(golden.missed)}
    return {**made, "report": None if golden.report is None else dict(golden.report)}


def _shown(parts: Parts) -> Document | None:
    """Parts by name with what there is to show: the value, or the digest where it says more than a value would."""
    if not parts:
        return None
    return {name: _value(name, part) for name, part in sorted(parts.items()) if part.digest is not None}


def _value(name: str, part: Part) -> Json:
    if part.value is not None:
        return part.value
    return "(secret)" if name.startswith("secret ") else f"sha256:{str(part.digest)[:16]}"


def _fingerprint(parts: Parts) -> Document:
    made: Document = {}
    for name, part in sorted(parts.items()):
        if part.digest is None:
            made[name] = {"role": part.role, "digest": None, "waits_for": part.value}
        else:
            made[name] = {"role": part.role, "digest": part.digest, "value": part.value}
    return made


def _reason(reason: Reason, change: Change) -> Document:
    return {**reason._asdict(), "text": words.reason_words(reason, change).text}


def _action_reason(change: Change) -> str | None:
    """Why, in one word: Terraform's where it has one, else built as Terraform builds its own."""
    if not change.reasons or change.is_quiet:
        return None
    causes = [reason.cause for reason in change.reasons]
    if change.action == "delete" and "undeclared" in causes:
        return "delete_because_no_resource_config"
    if change.action == "replace":
        return "replace_by_request" if "forced" in causes else "replace_because_cannot_update"
    return f"{change.action}_because_{causes[0]}".replace("-", "_")


def _drift(change: Change) -> Document:
    return {
        "address": str(change.address),
        "type": change.address.kind,
        "name": change.address.name,
        "change": {
            "actions": ["update"],
            "before": {drift.subject: drift.before for drift in change.drift},
            "after": {drift.subject: drift.after for drift in change.drift},
        },
        "drift": [drift._asdict() for drift in change.drift],
    }


def _checks(change: Change) -> list[Document]:
    """Gates and test requests: those of a quiet change passed when it was applied, the others are yet to be asked."""
    status = "pass" if change.is_quiet else "unknown"
    return [
        {"address": str(change.address), "name": name, "status": status}
        for name, part in sorted(change.after.items())
        if part.role == "check"
    ]


def _sorted(values: Mapping[str, Json]) -> Document:
    return {name: values[name] for name in sorted(values)}


# -- reading ---------------------------------------------------------------------------------------------------------


def plan_from_json(text: str, *, file: str = "the plan") -> PlanFile:
    """The plan that `render` wrote. `file` is how the diagnostics call it.

    Raises: Refusal (MLP1201 not a plan, MLP1202 of a newer mlplan, MLP1203 altered since it was written).
    """
    read = _read_document(text, file)
    try:
        drifts = {entry["address"]: _read_drift(entry) for entry in read["resource_drift"]}
        changes = tuple(_read_change(entry, drifts.get(entry["address"], ())) for entry in read["resource_changes"])
        plan = Plan(
            read["project"], read["lineage"], read["serial"], read["manifest_digest"], changes, read["outputs"]
        )
        return PlanFile(plan, read["mlplan_version"], _read_context(read))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _not_a_plan(file, f"it lacks what every plan has ({error})") from error


def _read_document(text: str, file: str) -> Document:
    """The JSON object of a plan file, its format known and its digest right."""
    try:
        read = json.loads(text)
    except ValueError as error:  # a decoding error, or an integer of absurd length
        raise _not_a_plan(file, f"it is no JSON ({error})") from error
    except RecursionError as error:
        raise _not_a_plan(file, "it is nested too deeply") from error
    if not isinstance(read, dict) or "resource_changes" not in read or "format_version" not in read:
        raise _not_a_plan(file, "it has no `resource_changes`")
    major, _, _ = str(read["format_version"]).partition(".")
    if major != FORMAT_VERSION.partition(".")[0]:
        detail = f"{file} has the format {read['format_version']}; this mlplan reads {FORMAT_VERSION}."
        raise Refusal([codes.MLP1202.diagnostic(detail, hint="Use the mlplan that wrote it, or plan again.")])
    recorded = read.pop("digest", None)
    try:
        intact = recorded == digest_of(read)
    except (ValueError, RecursionError):  # not a number, half a character: nothing that mlplan writes
        intact = False
    if not intact:
        detail = f"{file} doesn't have the digest that stands in it: it was edited or cut after it was written."
        raise Refusal([codes.MLP1203.diagnostic(detail, hint="Plan again:\n    mlplan plan --out FILE")])
    return read


def _not_a_plan(file: str, why: str) -> Refusal:
    hint = "A plan file is what this writes:\n\n    mlplan plan --out FILE"
    return Refusal([codes.MLP1201.diagnostic(f"{file} can't be read as a plan: {why}.", hint=hint)])


def _read_context(read: Document) -> Context:
    attribution = {
        _read_address(entry["address"]): entry["attribution"]
        for entry in read["resource_changes"]
        if "attribution" in entry
    }
    chosen = {name: frozenset(map(_read_address, texts)) for name, texts in read.get("selection", {}).items()}
    selection = Selection(**chosen) if any(chosen.values()) else None
    return Context(read["base"], attribution, read["complete"], selection=selection, notes=tuple(read["notes"]))


def _read_change(entry: Document, drift: tuple[Drift, ...]) -> Change:
    if entry["action"] not in ACTIONS:
        raise ValueError(f"unknown action: {entry['action']}")
    return Change(
        address=_read_address(entry["address"]),
        action=entry["action"],
        reasons=tuple(
            Reason(r["cause"], r["subject"], r["before"], r["after"], r["detail"]) for r in entry["reasons"]
        ),
        before=_read_parts(entry["fingerprint"]["before"]),
        after=_read_parts(entry["fingerprint"]["after"]),
        conditional=tuple(_read_address(text) for text in entry["conditional"]),
        drift=drift,
        forecast=Forecast(**entry["forecast"]) if entry["forecast"] else None,
        impact=entry["impact"],
        loss=entry["loss"],
        yields=entry["yields"],
        notes=tuple(entry["notes"]),
        golden=tuple(map(_read_golden, entry.get("golden_requests", ()))),
    )


def _read_golden(entry: Document) -> Golden:
    missed = tuple(entry["missed"])
    return Golden(entry["file"], entry["requests"], entry["limits"], entry["is_compared"], entry["report"], missed)


def _read_address(text: str) -> Address:
    address = parse_address(text)
    if address is None:
        raise ValueError(f"no address: {text}")
    return address


def _read_parts(entries: Document) -> Parts:
    return {
        name: Part(e["role"], e["digest"], e["waits_for"] if e["digest"] is None else e["value"])
        for name, e in entries.items()
    }


def _read_drift(entry: Document) -> tuple[Drift, ...]:
    return tuple(Drift(d["subject"], d["problem"], d["before"], d["after"]) for d in entry["drift"])
