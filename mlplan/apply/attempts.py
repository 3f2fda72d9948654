"""Names for effects: the same try at the same change has the same key, also after a crash. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.fingerprint import fingerprint
from mlplan.json_types import digest_of
from mlplan.kinds.deployment.desired import place_and_result
from mlplan.kinds.protocol import Attempt

if TYPE_CHECKING:
    from mlplan.address import Address
    from mlplan.fingerprint import Parts
    from mlplan.plan.changes import Change
    from mlplan.state.records import State

HAVE_EFFECTS = frozenset({"run", "deployment"})
"""Kinds whose changes do something in the world. The others write artifacts by content, which is harmless to
repeat, and one commit."""

STAND_IN_THE_WORLD = frozenset({"deployment"})
"""Kinds that are there until they are removed. Of an ended run only its record goes."""


def attempt_of(change: Change, state: State, project: str) -> Attempt:
    """The attempt that a change is: that of its open intent where an earlier apply began it, else the next one."""
    address = change.address
    mark = mark_of(address, change.after)
    number = _open_attempt(state, address, mark) or _next_attempt(change, state, mark)
    return Attempt(digest_of([project, str(address), mark, number])[:32], number, mark)


def mark_of(address: Address, parts: Parts) -> str:
    """The fingerprint that names the effect: of a service, where it stands counts as well."""
    if address.kind == "deployment":
        return place_and_result(parts)
    return fingerprint(parts) or ""


def _open_attempt(state: State, address: Address, mark: str) -> int | None:
    """The attempt of the newest open intent for this very effect."""
    numbers = [i.attempt for i in state.intents.values() if i.address == address and i.fingerprint == mark]
    return max(numbers, default=None)


def _next_attempt(change: Change, state: State, mark: str) -> int:
    address = change.address
    if address.kind == "run":
        return 1 + max((r.attempt for r in state.runs.get(address, ()) if r.fingerprint == mark), default=0)
    recorded = state.resources.get(address)
    if recorded is None or mark_of(address, recorded.parts) != mark:
        return 1
    last = int(str(recorded.outputs.get("attempt", 1)))
    # A live service is only asked again when its tests or labels change; a dead or altered one is made anew.
    anew = change.drift or any(reason.cause == "forced" for reason in change.reasons)
    return last + 1 if anew else last
