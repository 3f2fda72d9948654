"""What a service's replicas have answered, all together, from what each says of itself at `/metrics`.

The same numbers as `serving/metrics.py` tells on its control socket, which stays inside the container.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from mlplan.serving.quantiles import quantile

if TYPE_CHECKING:
    from mlplan.json_types import Json

_SCORING = ("/score", "/v2/models/{model}/infer")
"""The routes at which the model answers."""


class Answered(NamedTuple):
    """The sums over all replicas since each was started."""

    metrics: Mapping[str, Json]  # requests, errors among them, p50_ms and p99_ms
    restarts: int  # of worker processes


def answered(pages: Sequence[str]) -> Answered:
    """What these pages, in Prometheus' text format, come to together."""
    requests = errors = restarts = 0
    below: Counter[float] = Counter()  # by upper bound, in seconds: how many answers took no longer
    for name, labels, value in chain.from_iterable(map(_samples, pages)):
        if name == "mlplan_worker_restarts_total":
            restarts += int(value)
        elif labels.get("route") not in _SCORING:
            continue
        elif name == "http_server_requests_total":
            requests += int(value)
            errors += int(value) if int(labels["code"]) >= 400 else 0
        elif name == "http_server_request_duration_seconds_bucket":
            below[float(labels["le"])] += int(value)
    *bounds, _ = sorted(below) or [0.0]
    reached = [below[bound] for bound in sorted(below)]
    counts = [now - before for before, now in zip([0, *reached], reached, strict=False)]
    p50, p99 = (round(quantile(counts, bounds, share) * 1000, 3) for share in (0.5, 0.99))
    return Answered({"requests": requests, "errors": errors, "p50_ms": p50, "p99_ms": p99}, restarts)


def _samples(page: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """The numbers on a page: name, labels, value. Labels with a comma in them, as a model's name, come out wrong."""
    for line in page.splitlines():
        if not line.startswith("#"):
            what, _, value = line.rpartition(" ")
            name, _, listed = what.rstrip("}").partition("{")
            pairs = (pair.partition("=") for pair in listed.split(",") if pair)
            yield name, {key: text.strip('"') for key, _, text in pairs}, float(value)
