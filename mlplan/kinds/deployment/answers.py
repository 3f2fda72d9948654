"""An answer of a service, held against the one that a test expects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlplan.codes import apply as codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.diagnostics import Diagnostic
    from mlplan.kinds.deployment.ask import Answer
    from mlplan.manifest.resolved import Resource

TOLERANCE = 1e-6
"""How far apart, relatively, two numbers may be and still be the same answer: floating point differs by machine."""
MEND = (
    "It takes no traffic; what served before still does. Mend the model, the entry script or the test's `expect`, "
    "then\n    mlplan apply"
)


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
