"""What golden requests come to, in words: before a switch what is asked, after it how answers and latency changed.

A report is what `kinds/deployment/golden.py` records of a comparison: numbers, and the first answers that changed,
shortened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.views.values import counted, listed, printable
from mlplan.views.words import down_service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.plan.changes import Change, Golden


class Example(NamedTuple):
    """A changed answer."""

    name: str
    before: str  # the live service's answer, shortened
    after: str


def asks_text(golden: Golden, change: Change) -> str:
    """`200 golden requests of golden.jsonl will be asked of both services; no answer may change`."""
    many = "the golden requests" if golden.requests is None else counted(golden.requests, "golden request")
    is_compared = golden.is_compared and not down_service(change)
    whom = " of both services" if is_compared else ""
    limits = _allowed(golden.limits, is_compared=is_compared)
    return f"{many} of {printable(golden.file)} will be asked{whom}{'; ' if limits else ''}{limits}"


def _allowed(limits: Mapping[str, Any], *, is_compared: bool) -> str:
    """What the limits allow; those against a live service only where there is one."""
    said = []
    if is_compared and "changed" in limits:
        most = limits["changed"]
        said.append(f"at most {counted(most, 'answer')} may change" if most else "no answer may change")
    if is_compared and "slower" in limits:
        said.append(f"p50 may reach {limits['slower']:g} times the live service's")
    if "p99" in limits:
        said.append(f"p99 may reach {limits['p99']}")
    return listed(said)


def asked_text(golden: Golden, change: Change) -> str:
    """What they came to when this very candidate was asked; empty where it wasn't."""
    if golden.report is None:
        return ""
    if change.before and not golden.is_compared:
        return f"asked when it was deployed: {report_text(golden.report, golden.limits)}"
    return f"asked before: {report_text(golden.report, golden.limits)}{_outcome(golden.report, golden.missed)}"


def _outcome(report: Mapping[str, Any], missed: tuple[str, ...]) -> str:
    if report.get("wrong"):
        return "; that stopped the switch"
    if not report.get("missed"):
        return ""
    return "; that stopped the switch" if missed else "; that stopped the switch, and is within the limits now"


def report_text(report: Mapping[str, Any], limits: Mapping[str, Any]) -> str:
    """`3 of 200 answers changed (limit 0), p50 1.1 -> 1.3 ms, p99 2.0 -> 2.4 ms`."""
    asked, wrong, changed = report["asked"], report.get("wrong") or 0, report.get("changed") or 0
    said = [f"{wrong} of {counted(asked, 'answer')} wrong"] if wrong else []
    if "live_p50_ms" in report:
        share = f"{changed}" if wrong else f"{changed} of {counted(asked, 'answer')}"
        said.append(f"{share} changed{_limit(limits, 'changed')}")
    elif not wrong:
        said.append(f"{asked} answered")
    factor = f" (limit {limits['slower']:g} times)" if "slower" in limits and "live_p50_ms" in report else ""
    return ", ".join([*said, _latency(report, "p50") + factor, _latency(report, "p99") + _limit(limits, "p99")])


def reports_facts(label: str, reports: Any) -> dict[str, str]:
    """Recorded reports, if there are any, as facts below one label: `golden`, `golden 2`."""
    texts = reports_text(reports) if isinstance(reports, dict) else []
    return {label if place == 0 else f"{label} {place + 1}": text for place, text in enumerate(texts)}


def reports_text(reports: Mapping[str, Any]) -> list[str]:
    """Recorded reports by their file, a line each, with the limits as they were."""
    return [
        f"{printable(file)}: {report_text(report, report.get('limits') or {})}"
        for file, report in reports.items()
        if isinstance(report, dict)
    ]


def _limit(limits: Mapping[str, Any], name: str) -> str:
    return f" (limit {limits[name]})" if name in limits else ""


def _latency(report: Mapping[str, Any], name: str) -> str:
    live = report.get(f"live_{name}_ms")
    before = f"{_number(live)} -> " if live is not None else ""
    return f"{name} {before}{_number(report.get(f'{name}_ms') or 0.0)} ms"


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def examples(report: Mapping[str, Any] | None) -> list[Example]:
    """The first changed answers."""
    found = (report or {}).get("examples") or ()
    return [
        Example(printable(str(e.get("name"))), printable(str(e.get("live"))), printable(str(e.get("answer"))))
        for e in found
    ]
