"""What a service is asked before a switch to it, as a plan knows it: files of golden requests, their limits, and what
they came to if this very candidate was asked already. Who asks: `golden.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlplan.json_types import digest_of
from mlplan.plan.changes import Golden

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from mlplan.json_types import Json
    from mlplan.kinds.protocol import Reading
    from mlplan.state.records import Recorded, Stopped


class Questions(NamedTuple):
    """A file of golden requests, as the manifest names it."""

    file: str
    digest: str  # of what is asked, and of how the answers are compared
    requests: int | None  # how many; None where nobody read the file
    limits: Mapping[str, Json]


def questions_of(spec: Mapping[str, Any], reading: Reading) -> tuple[Questions, ...]:
    """The files of golden requests that a deployment's spec names."""
    found = []
    for test in spec.get("test") or ():
        file = test.get("requests")
        if isinstance(file, str):  # what lies outside of a revision's tree stands for itself
            digest = questions_digest(str(reading.files.digest(file)), test.get("tolerance"))
            limits = {name: limit for name, limit in (test.get("limits") or {}).items() if limit is not None}
            found.append(Questions(file, digest, reading.manifest.requests.get(file), limits))
    return tuple(found)


def questions_digest(content: str, tolerance: float | None) -> str:
    """What names a file of golden requests: the digest of its content, and how answers to it are compared. Limits
    don't count: what was answered is the same, however far it may be off."""
    return digest_of([content, tolerance])


def golden_of(
    questions: Sequence[Questions], candidate: str, live: str, recorded: Recorded | None, stopped: Stopped | None
) -> tuple[Golden, ...]:
    """What a change of the service asks. `candidate` and `live` name the generations; "" where there is none, or only
    the apply can tell.

    What was answered before is told where neither of the two, nor what is asked, is another one since: after a switch
    that was stopped, or where the service as it was deployed is made anew.
    """
    reports: Mapping[str, Json] = {}
    if candidate and candidate == live and recorded is not None:
        reports = _mapping(recorded.outputs.get("golden"))
    elif candidate and stopped is not None and (stopped.candidate, stopped.live) == (candidate, live):
        reports = stopped.reports
    found = []
    for asked in questions:
        report = _mapping(reports.get(asked.file))
        known = report if report.get("questions") == asked.digest else None
        missed = missed_limits(known, asked.limits) if known else ()
        found.append(
            Golden(asked.file, asked.requests, asked.limits, bool(live) and candidate != live, known, missed)
        )
    return tuple(found)


def missed_limits(report: Mapping[str, Json], limits: Mapping[str, Any]) -> tuple[str, ...]:
    """The limits that a comparison is beyond; those against a live service only where one answered."""
    from mlplan.manifest.quantities import seconds

    missed = []
    if "changed" in limits and _number(report, "changed") > limits["changed"]:
        missed.append("changed")
    live = _number(report, "live_p50_ms")
    if "slower" in limits and live and _number(report, "p50_ms") > limits["slower"] * live:
        missed.append("slower")
    if "p99" in limits and _number(report, "p99_ms") > 1000 * seconds(limits["p99"]):
        missed.append("p99")
    return tuple(missed)


def _number(report: Mapping[str, Json], name: str) -> float:
    value = report.get(name)
    return value if isinstance(value, (int, float)) else 0.0


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
