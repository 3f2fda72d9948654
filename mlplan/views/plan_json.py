"""A plan as JSON: for machines, and as the plan file that `show FILE` and `apply FILE` read (`plan_reading.py`).

Terraform's names stand where the meaning is the same, so that what reads its plans finds its way; what mlplan adds
has names of its own. The shape is published as `schemas/plan.json` (made from `shapes/plan.py`). The same plan gives
the same bytes; a digest inside tells whether a file was altered.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import mlplan
from mlplan.json_types import digest_of
from mlplan.views import words
from mlplan.views.plan_context import NO_CONTEXT
from mlplan.views.summary import summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.fingerprint import Part, Parts
    from mlplan.json_types import Json
    from mlplan.plan.changes import Action, Change, Golden, Plan, Reason
    from mlplan.views.plan_context import Context

FORMAT_VERSION = "1.1"
"""The second number grows with what is added, the first with what readers must know of."""

Document = dict[str, Any]

TERRAFORM_ACTIONS: Mapping[Action, tuple[str, ...]] = {"replace": ("delete", "create")}
"""Actions that Terraform spells as several."""


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
