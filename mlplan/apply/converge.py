"""After an apply: the plan made again has to be empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.codes import apply as codes

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic
    from mlplan.plan.changes import Change, Plan


def not_converged(plan: Plan) -> list[Diagnostic]:
    """An error for each change that is still left, naming the field and both values; empty where it converged."""
    return [
        codes.MLP7004.diagnostic(
            f"{change.address} was applied, and yet the plan after it says `{change.action}`: {_fields(change)}.",
            hint="Something changes by itself, or the world answers otherwise than it was told. Look again:\n"
            "    mlplan plan",
            address=change.address,
        )
        for change in plan.changes
        if not change.is_quiet
    ]


def _fields(change: Change) -> str:
    return "; ".join(
        f"{reason.subject} is {reason.after!r}, was {reason.before!r}"
        if reason.cause != "drift"
        else f"{reason.subject} {reason.detail}"
        for reason in change.reasons
    )
