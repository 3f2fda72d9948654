"""A candidate, asked before it takes traffic: does it serve these models, and does it answer as the tests expect?

A file of golden requests is asked of the candidate and of the service that is live, in turn: `golden.py`.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.codes import apply as codes
from mlplan.errors import Refusal
from mlplan.events import StageReached
from mlplan.kinds.deployment.ask import Answer, ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlplan.diagnostics import Diagnostic
    from mlplan.json_types import Json
    from mlplan.kinds.protocol import Effects
    from mlplan.manifest.resolved import Resource
    from mlplan.targets.protocols import Endpoint, ServiceSpec

TOLERANCE = 1e-6
"""How far apart, relatively, two numbers may be and still be the same answer: floating point differs by machine."""
MEND = (
    "It takes no traffic; what served before still does. Mend the model, the entry script or the test's `expect`, "
    "then\n    mlplan apply"
)


class Verdict(NamedTuple):
    """What asking a candidate came to."""

    reports: Mapping[str, Json]  # what golden requests came to, by their file
    wrong: Sequence[Diagnostic]  # answers that are wrong
    passed: Sequence[Diagnostic]  # limits that it is beyond


def verify(resource: Resource, endpoint: Endpoint, spec: ServiceSpec, effects: Effects) -> Verdict:
    """Asks for the digest it serves and every test. Raises: Refusal where it serves something else."""
    from mlplan.kinds.deployment.golden import ask_golden  # only where a service is asked

    _check_digest(resource, endpoint, spec)
    tests = resource.spec["test"]
    wrong: list[Diagnostic] = []
    passed: list[Diagnostic] = []
    reports: dict[str, Json] = {}
    for number, test in enumerate(tests, start=1):
        file = test["request"] or test["requests"]
        effects.emit(StageReached(resource.address, "Testing", f"{number} of {len(tests)}: {file}"))
        if test["requests"]:
            compared = ask_golden(resource, test, endpoint, spec, effects)
            reports[file] = compared.report
            wrong += compared.wrong
            passed += compared.passed
        else:
            wrong += _ask_one(resource, test, endpoint, effects)
    return Verdict(reports, wrong, passed)


def under_root(path: str, effects: Effects) -> str:
    """The absolute path of a file that the manifest names."""
    return os.path.join(effects.reading.manifest.root, path)


def _check_digest(resource: Resource, endpoint: Endpoint, spec: ServiceSpec) -> None:
    health = ask(endpoint.url, "/", key=endpoint.key)
    served = health.headers.get("x-mlplan-digest", "")
    if health.status != 200 or served != spec.digest:
        raise Refusal(
            [
                codes.MLP7032.diagnostic(
                    f"{resource.address} should serve {spec.digest[:10]}, but answers {health.status} and serves "
                    f"{served[:10] or 'nothing'}.",
                    hint=f"See its log:\n    mlplan service logs {resource.address.name}",
                    address=resource.address,
                )
            ]
        )


def _ask_one(resource: Resource, test: Mapping[str, Any], endpoint: Endpoint, effects: Effects) -> list[Diagnostic]:
    with open(under_root(test["request"], effects), "rb") as stream:
        body = stream.read()
    problem = what_is_wrong(ask(endpoint.url, "/score", key=endpoint.key, body=body, is_test=True), test)
    return [wrong_answer(resource, test["request"], problem)] if problem else []


def wrong_answer(resource: Resource, request: str, problem: str) -> Diagnostic:
    """Says which request was answered wrongly."""
    text = f"Asked {request}, {resource.address} {problem}."
    return codes.MLP7033.diagnostic(text, hint=MEND, address=resource.address)


def what_is_wrong(answer: Answer, test: Mapping[str, Any]) -> str:
    """What is wrong with an answer, or "" where it is as expected."""
    if not 200 <= answer.status < 300:  # a script may choose among these
        return f"answered {answer.status}: {answer.text[:300]}"
    if test.get("expect") is None:
        return ""
    try:
        got = json.loads(answer.text)
    except ValueError:
        return f"answered no JSON: {answer.text[:300]}"
    tolerance = test.get("tolerance")
    if same(got, test["expect"], TOLERANCE if tolerance is None else tolerance):
        return ""
    return f"answered {json.dumps(got)[:300]}, expected is {json.dumps(test['expect'])[:300]}"


def same(got: Any, expected: Any, tolerance: float = TOLERANCE) -> bool:
    """Whether two JSON values are the same, numbers within the tolerance."""
    from mlplan.serving import golden

    return golden.same(got, expected, tolerance)
