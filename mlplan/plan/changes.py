"""A plan's words: actions, reasons, changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from mlplan.address import Address
from mlplan.fingerprint import Parts
from mlplan.json_types import Json
from mlplan.world import Drift

Action = Literal[
    "no-op", "skip", "restore", "update", "create", "run", "register", "replace", "delete"
]  # by severity
ACTIONS: tuple[Action, ...] = (
    "no-op", "skip", "restore", "update", "create", "run", "register", "replace", "delete",
)  # fmt: skip
QUIET: frozenset[Action] = frozenset({"no-op", "skip"})
"""Actions that change nothing."""

Cause = Literal[
    "new",  # nothing is recorded
    "changed",  # a part differs
    "added",  # a part is new
    "removed",  # a part is gone
    "upstream",  # a part will be known only after another change
    "unpinned",  # mlplan.lock doesn't have it yet, so that only the apply can tell
    "drift",  # the world differs from the state
    "undeclared",  # the manifest has it no more
    "forced",  # --replace
    "moved",  # it has a new address
    "interrupted",  # an earlier apply left its intent open
]


class Reason(NamedTuple):
    """Why a change is made. Facts only; `views/` has the words."""

    cause: Cause
    subject: str  # the part, as a user knows it: "scripts/train.py", "--regularization", "dataset mnist-dataset"
    before: Json = None
    after: Json = None
    detail: str = ""  # "2 files changed"


class Forecast(NamedTuple):
    """What a run cost the last time."""

    duration_s: float
    peak_memory_bytes: int


class Golden(NamedTuple):
    """A file of golden requests that a service is asked before the change counts as done."""

    file: str
    requests: int | None  # how many; None where nobody read the file
    limits: Mapping[str, Json]  # what stops the switch: "changed", "p99", "slower"
    is_compared: bool  # whether they are asked of the service that is live, too, if it answers
    report: Mapping[str, Json] | None = None  # what they came to when this very candidate was asked; None: it wasn't
    missed: tuple[str, ...] = ()  # the limits that the report is beyond


Impact = Literal["none", "cosmetic", "serve-only", "retrain", "contract", "destructive"]
"""What a change means for those who live with it.

cosmetic: a record; serve-only: a service restarts, its clients notice nothing; retrain: training runs;
contract: what a client of a service sees (port, auth, entry script, environment of the answer); destructive:
something is lost.
"""


IMPACTS: tuple[Impact, ...] = ("cosmetic", "serve-only", "retrain", "contract", "destructive")
"""What a change can have, by severity."""


class Change(NamedTuple):
    """One line of a plan: what, to which address, why."""

    address: Address
    action: Action
    reasons: tuple[Reason, ...]
    before: Parts  # recorded; empty for what is new
    after: Parts  # desired; empty for what goes; parts without a digest are known after apply
    conditional: tuple[Address, ...] = ()  # dropped at apply if these come out as they are recorded
    drift: tuple[Drift, ...] = ()
    forecast: Forecast | None = None
    impact: Impact = "none"
    loss: str = ""  # what is lost, in one sentence; for delete and replace
    yields: Mapping[str, Json] | None = None  # what it will hand to others, where that is known beforehand
    notes: tuple[str, ...] = ()  # what a reviewer should know: "snapshot: 3 files, 12 kB"
    golden: tuple[Golden, ...] = ()  # of a service, what it is asked

    @property
    def is_quiet(self) -> bool:
        """Whether it changes nothing."""
        return self.action in QUIET


class Plan(NamedTuple):
    """What an apply would do, in the order of the graph; deletions last, dependants first."""

    project: str
    lineage: str
    serial: int  # of the state it was made on
    manifest_digest: str
    changes: tuple[Change, ...]  # all resources, the quiet ones too
    outputs: Mapping[str, Json]  # addresses of services -> scoring_uri and the like, where known

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return all(change.is_quiet for change in self.changes)

    @property
    def drift_alone(self) -> bool:
        """Whether every change only mends drift."""
        loud = [change for change in self.changes if not change.is_quiet]
        return bool(loud) and all(
            change.reasons and all(reason.cause == "drift" for reason in change.reasons) for change in loud
        )
