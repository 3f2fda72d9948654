"""Golden requests: a candidate's answers beside those of the service that is live, and the limits between them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.codes import apply as codes
from mlplan.codes import meaning as meaning_codes
from mlplan.errors import Refusal
from mlplan.events import DiagnosticRaised
from mlplan.kinds.deployment.answers import TOLERANCE, wrong_answer
from mlplan.kinds.deployment.asked import missed_limits, questions_digest
from mlplan.kinds.placing import under_root
from mlplan.manifest.requests import read_golden
from mlplan.serving import golden

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlplan.diagnostics import Diagnostic
    from mlplan.json_types import Json
    from mlplan.kinds.protocol import Effects
    from mlplan.manifest.resolved import Resource
    from mlplan.targets.protocols import Endpoint, ServiceSpec

_SHOWN = 5
_NAME = 80
_NOT_COMPARED = "the live service didn't answer, so nothing was compared with it, and limits on that were left aside"


class Compared(NamedTuple):
    """What asking a file of golden requests came to."""

    report: dict[str, Json]  # as it is recorded with the deployment
    wrong: Sequence[Diagnostic]  # answers that aren't the expected ones, a few of them
    exceeded: Sequence[Diagnostic]  # limits that it is beyond


def ask_golden(
    resource: Resource, test: Mapping[str, Any], endpoint: Endpoint, spec: ServiceSpec, effects: Effects
) -> Compared:
    """Asks both services, tells the comparison, and holds it against the limits. Raises: Refusal for the file."""
    file = test["requests"]
    goldens, questions = _read(file, test, effects)
    live_url = _live_url(resource, spec, effects)
    candidate, live = _ask_both(endpoint, live_url, goldens)
    report = golden.compare(goldens, candidate, live)
    kept = _recorded(report, test, questions)
    lines = "\n".join([*golden.shown(report), *([_NOT_COMPARED] if live_url and live is None else [])])
    told = codes.MLP7036.diagnostic(f"{resource.address}, {file}: {lines}", address=resource.address)
    effects.emit(DiagnosticRaised(told))
    wrong = [
        wrong_answer(resource, f"request {item.name} of {file}", _problem(item)) for item in report.wrong[:_SHOWN]
    ]
    exceeded = [
        codes.MLP7035.diagnostic(
            f"{resource.address}, {file}: {reason}.",
            hint="It takes no traffic; what served before still does. Mend the model, or change the limit in the "
            "manifest, then\n    mlplan apply",
            address=resource.address,
        )
        for reason in over(kept)
    ]
    return Compared(kept, wrong, exceeded)


def over(report: Mapping[str, Any]) -> Iterator[str]:
    """Each limit that a recorded comparison is beyond, in a few words."""
    limits = report["limits"]
    for missed in report["missed"]:
        if missed == "changed":
            changed = report["changed"]
            said = "1 answer is" if changed == 1 else f"{changed} answers are"
            yield f"{said} not the live service's, {limits['changed']} may be"
        elif missed == "slower":
            times = report["p50_ms"] / report["live_p50_ms"]
            limit = f"{limits['slower']:g} is the limit"
            yield f"its median answer takes {times:.2f} times as long as the live service's, {limit}"
        else:
            yield f"one answer in a hundred takes {report['p99_ms']:.1f} ms or longer, {limits['p99']} is the limit"


def _read(file: str, test: Mapping[str, Any], effects: Effects) -> tuple[list[golden.Golden], str]:
    """The requests as they are now, and what names them. `validate` saw the file, but that may be a while ago."""
    try:
        with open(under_root(file, effects), "rb") as stream:
            data = stream.read()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise Refusal([meaning_codes.MLP3411.diagnostic(f"`{file}` can't be read: {why}.")]) from error
    read = read_golden(data, file)
    if read.problems:
        raise Refusal(read.problems, sources=[read.source])
    goldens = golden.goldens_of(read.items, TOLERANCE if test["tolerance"] is None else test["tolerance"])
    return goldens, questions_digest(hashlib.sha256(data).hexdigest(), test["tolerance"])


def _live_url(resource: Resource, spec: ServiceSpec, effects: Effects) -> str:
    """Where the service that is live is asked; "" where none was deployed, or where that is the one to be asked: then
    it is asked only because its tests or labels changed."""
    recorded = effects.state().resources.get(resource.address)
    if recorded is None or recorded.outputs.get("key") == spec.key:
        return ""
    return str(recorded.outputs.get("scoring_uri", "")).removesuffix("/score")


def _ask_both(
    endpoint: Endpoint, live: str, goldens: Sequence[golden.Golden]
) -> tuple[list[golden.Given], list[golden.Given] | None]:
    """The candidate's answers and the live service's; None where that gives none.

    Raises: Refusal where the candidate doesn't answer.
    """
    try:
        if live:
            try:
                both = golden.ask_all([endpoint.url, live], endpoint.key, goldens)
            except OSError:  # the live one may be down: that is no reason to keep its successor from the port
                pass
            else:
                return both[0], both[1] if any(given.status == 200 for given in both[1]) else None
        return golden.ask_all([endpoint.url], endpoint.key, goldens)[0], None
    except OSError as error:
        raise Refusal([codes.MLP7034.diagnostic(f"{endpoint.url} doesn't answer: {error}.")]) from error


def _problem(item: golden.Changed) -> str:
    if item.candidate.status != 200:
        return f"answered {item.candidate.status}: {golden.short(item.candidate.value)}"
    return f"answered {golden.short(item.candidate.value)}, expected is {golden.short(item.other)}"


def _recorded(report: golden.Report, test: Mapping[str, Any], questions: str) -> dict[str, Json]:
    """What is kept of a comparison: numbers, and of the first changed answers names and beginnings. Never what was
    asked, which may be nobody's business."""
    times = {name: getattr(report, name) for name in ("p50_ms", "p99_ms", "live_p50_ms", "live_p99_ms")}
    limits: dict[str, Json] = {name: limit for name, limit in (test["limits"] or {}).items() if limit is not None}
    found: dict[str, Json] = {"asked": report.asked, "wrong": len(report.wrong), "changed": len(report.changed)}
    found |= {name: round(value, 3) for name, value in times.items() if value is not None}
    examples: list[Json] = [
        {"name": item.name[:_NAME], "answer": golden.short(item.candidate.value), "live": golden.short(item.other)}
        for item in report.changed[:_SHOWN]
    ]
    missed: list[Json] = [*missed_limits(found, limits)]
    return {**found, "examples": examples, "limits": limits, "missed": missed, "questions": questions}
