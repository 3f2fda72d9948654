"""After an apply: the plan made again has to be empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.codes import apply as codes

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic
    from mlplan.fingerprint import Parts
    from mlplan.plan.changes import Change, Plan, Reason


def not_converged(plan: Plan) -> list[Diagnostic]:
    """An error for each change that is still left, naming the field and both values; empty where it converged.

    A change that only waits for another one goes with that.
    """
    left = [change for change in plan.changes if not change.is_quiet]
    causes = [change for change in left if any(reason.cause != "upstream" for reason in change.reasons)]
    return [
        codes.MLP7004.diagnostic(
            f"{change.address} was applied, and yet the plan after it says `{change.action}`: {_fields(change)}.",
            hint="Something changes by itself, or the world answers otherwise than it was told. Look again:\n"
            "    mlplan plan",
            address=change.address,
        )
        for change in causes or left
    ]


def _fields(change: Change) -> str:
    return "; ".join(_field(change, reason) for reason in change.reasons)


def _field(change: Change, reason: Reason) -> str:
    """A field with both its values: of what is too large to be shown, the digests."""
    if reason.cause == "drift":
        return f"{reason.subject} {reason.detail}"
    before, after = repr(reason.before), repr(reason.after)
    if reason.before is None and reason.after is None:
        before, after = _digest(change.before, reason.subject), _digest(change.after, reason.subject)
    detail = f": {reason.detail}" if reason.detail else ""
    return f"{reason.subject} is {after}, was {before}{detail}"


def _digest(parts: Parts, name: str) -> str:
    part = parts.get(name)
    return part.digest[:12] if part is not None and part.digest else "nothing"
