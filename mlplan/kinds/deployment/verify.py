"""A candidate, asked before it takes traffic: does it serve these models, and does it answer as the tests expect?"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from mlplan.codes import apply as codes
from mlplan.errors import Refusal
from mlplan.events import StageReached
from mlplan.kinds.deployment.ask import Answer, ask

if TYPE_CHECKING:
    from mlplan.kinds.protocol import Effects
    from mlplan.manifest.resolved import Resource
    from mlplan.targets.protocols import Endpoint, ServiceSpec

TOLERANCE = 1e-6
"""How far apart, relatively, two numbers may be and still be the same answer: floating point differs by machine."""


def verify(resource: Resource, endpoint: Endpoint, spec: ServiceSpec, effects: Effects) -> None:
    """Asks for the digest it serves and every test request. Raises: Refusal naming each answer that is wrong."""
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
    tests = resource.spec["test"]
    wrong = []
    for number, test in enumerate(tests, start=1):
        effects.emit(StageReached(resource.address, "Testing", f"{number} of {len(tests)}: {test['request']}"))
        with open(os.path.join(effects.reading.manifest.root, test["request"]), "rb") as stream:
            body = stream.read()
        answer = ask(endpoint.url, "/score", key=endpoint.key, body=body)
        problem = what_is_wrong(answer, test)
        if problem:
            wrong.append(
                codes.MLP7033.diagnostic(
                    f"Asked {test['request']}, {resource.address} {problem}.",
                    hint="It takes no traffic; what served before still does. Mend the model, the entry script or "
                    "the test's `expect`, then\n    mlplan apply",
                    address=resource.address,
                )
            )
    if wrong:
        raise Refusal(wrong)


def what_is_wrong(answer: Answer, test: dict[str, Any]) -> str:
    """What is wrong with an answer, or "" where it is as expected."""
    if answer.status != 200:
        return f"answered {answer.status}: {answer.text[:300]}"
    if test.get("expect") is None:
        return ""
    try:
        got = json.loads(answer.text)
    except ValueError:
        return f"answered no JSON: {answer.text[:300]}"
    if same(got, test["expect"]):
        return ""
    return f"answered {json.dumps(got)[:300]}, expected is {json.dumps(test['expect'])[:300]}"


def same(got: Any, expected: Any) -> bool:
    """Whether two JSON values are the same, numbers within the tolerance."""
    if isinstance(got, bool) or isinstance(expected, bool):
        return got is expected
    if isinstance(got, (int, float)) and isinstance(expected, (int, float)):
        return got == expected or abs(got - expected) <= TOLERANCE * max(abs(got), abs(expected))
    if isinstance(got, list) and isinstance(expected, list):
        return len(got) == len(expected) and all(map(same, got, expected))
    if isinstance(got, dict) and isinstance(expected, dict):
        return got.keys() == expected.keys() and all(same(got[key], expected[key]) for key in got)
    return bool(got == expected)
