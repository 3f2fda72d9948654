"""A candidate, asked before it takes traffic: does it serve these models, and does it answer as the tests expect?

A file of golden requests is asked of the candidate and of the service that is live, in turn: `golden.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.codes import apply as codes
from mlplan.errors import Refusal
from mlplan.events import StageReached
from mlplan.kinds.deployment.answers import what_is_wrong, wrong_answer
from mlplan.kinds.deployment.ask import ask
from mlplan.kinds.deployment.golden import ask_golden
from mlplan.kinds.placing import under_root

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlplan.diagnostics import Diagnostic
    from mlplan.json_types import Json
    from mlplan.kinds.protocol import Effects
    from mlplan.manifest.resolved import Resource
    from mlplan.targets.protocols import Endpoint, ServiceSpec


class Verdict(NamedTuple):
    """What asking a candidate came to."""

    reports: Mapping[str, Json]  # what golden requests came to, by their file
    wrong: Sequence[Diagnostic]  # answers that are wrong
    exceeded: Sequence[Diagnostic]  # limits that it is beyond


def verify(resource: Resource, endpoint: Endpoint, spec: ServiceSpec, effects: Effects) -> Verdict:
    """Asks for the digest it serves and every test. Raises: Refusal where it serves something else."""
    _check_digest(resource, endpoint, spec)
    tests = resource.spec["test"]
    wrong: list[Diagnostic] = []
    exceeded: list[Diagnostic] = []
    reports: dict[str, Json] = {}
    for number, test in enumerate(tests, start=1):
        file = test["request"] or test["requests"]
        effects.emit(StageReached(resource.address, "Testing", f"{number} of {len(tests)}: {file}"))
        if test["requests"]:
            compared = ask_golden(resource, test, endpoint, spec, effects)
            reports[file] = compared.report
            wrong += compared.wrong
            exceeded += compared.exceeded
        else:
            wrong += _ask_one(resource, test, endpoint, effects)
    return Verdict(reports, wrong, exceeded)


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
