"""A plan read again from the JSON that `plan_json.py` wrote: nothing is believed that was altered since.

What is read here was on a disk or in a pipeline in between, so each way in which it can be wrong is a diagnostic.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from mlplan.address import Address, parse_address
from mlplan.codes import read as codes
from mlplan.errors import Refusal
from mlplan.fingerprint import Part, Parts
from mlplan.json_types import digest_of
from mlplan.plan.changes import ACTIONS, Change, Forecast, Golden, Plan, Reason
from mlplan.plan.make import Selection
from mlplan.views.plan_context import Context
from mlplan.views.plan_json import FORMAT_VERSION
from mlplan.world import Drift

if TYPE_CHECKING:
    from mlplan.views.plan_json import Document


class PlanFile(NamedTuple):
    """A plan as it was written to a file, and by which mlplan."""

    plan: Plan
    mlplan_version: str
    context: Context


def plan_from_json(text: str, *, file: str = "the plan") -> PlanFile:
    """The plan that `plan_json.render` wrote. `file` is how the diagnostics call it.

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
