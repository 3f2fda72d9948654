"""Counters that all workers of a service share: one file mapped into memory, one slice of it per worker.

A worker adds to its own slice without a lock or a message; whoever is asked (a worker for `/metrics`, the supervisor
for `status`) sums over all slices. So the numbers are never stale, a stuck worker can still be read, and a worker
that takes a dead one's slice goes on counting where that one stopped. All cells are 8-byte floats.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .quantiles import quantile

ROUTES = (
    "/",
    "/health/live",
    "/health/ready",
    "/score",
    "/swagger.json",
    "/metrics",
    "/v2",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/models/{model}",
    "/v2/models/{model}/ready",
    "/v2/models/{model}/infer",
    "other",
)
REASONS = ("queue", "body", "key", "timeout", "connections", "header")

LATENCY_BOUNDS_S = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip
ROW_BOUNDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0, 16384.0)

_CODES = 600


class Histogram(NamedTuple):
    """Where a histogram's cells are: one per bound, one above all of them, the sum of what was observed."""

    start: int
    bounds: tuple[float, ...]

    @property
    def size(self) -> int:
        """Its cells."""
        return len(self.bounds) + 2


class _Layout:
    """The place of every number in a slice."""

    def __init__(self) -> None:
        self.size = 0
        self.requests = self._take(len(ROUTES) * _CODES)  # by route and status code
        self.latency = [self._histogram(LATENCY_BOUNDS_S) for _ in ROUTES]
        self.run = self._histogram(LATENCY_BOUNDS_S)
        self.queue = self._histogram(LATENCY_BOUNDS_S)
        self.rows = self._histogram(ROW_BOUNDS)
        self.rejected = self._take(len(REASONS))
        self.in_flight = self._take(1)
        self.heartbeat = self._take(1)  # monotonic time of the worker's last sign of life
        self.busy_since = self._take(
            1
        )  # monotonic time at which the event loop went into a call of `run`; 0: it isn't
        self.load_s = self._take(1)
        self.dropped = self._take(1)
        self.restarts = self._take(1)

    def _take(self, cells: int) -> int:
        start, self.size = self.size, self.size + cells
        return start

    def _histogram(self, bounds: tuple[float, ...]) -> Histogram:
        return Histogram(self._take(len(bounds) + 2), bounds)


LAYOUT = _Layout()


class Shared:
    """The numbers of all workers of one service, in memory that their processes share."""

    def __init__(self, descriptor: int, workers: int) -> None:
        self.descriptor = descriptor
        self._map = mmap.mmap(descriptor, workers * LAYOUT.size * 8)
        cells = memoryview(self._map).cast("d")
        self.slices = [cells[i * LAYOUT.size : (i + 1) * LAYOUT.size] for i in range(workers)]

    @classmethod
    def create(cls, workers: int) -> Shared:
        """New numbers, all zero, in a file without a name that a child inherits by `descriptor`."""
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
        os.truncate(descriptor, workers * LAYOUT.size * 8)
        return cls(descriptor, workers)

    def total(self, cell: int) -> float:
        """The sum of one cell over all workers."""
        return sum(part[cell] for part in self.slices)

    def totals(self, start: int, cells: int) -> list[float]:
        """The sums of neighbouring cells over all workers."""
        return [sum(column) for column in zip(*(part[start : start + cells] for part in self.slices))]

    def count(self, codes: Iterable[int], routes: Iterable[int]) -> int:
        """How many requests to these routes ended with these status codes."""
        wanted = list(codes)
        return int(sum(self.total(LAYOUT.requests + route * _CODES + code) for route in routes for code in wanted))

    def quantiles_s(self, routes: Sequence[int], shares: Sequence[float]) -> list[float]:
        """The latencies of these routes below which these shares of the requests lie; 0 where there were none."""
        columns = zip(*(self.totals(LAYOUT.latency[route].start, len(LATENCY_BOUNDS_S) + 1) for route in routes))
        counts = [sum(column) for column in columns]
        return [quantile(counts, LATENCY_BOUNDS_S, share) for share in shares]

    def clear_gauges(self, worker: int) -> None:
        """Forgets what was true of a worker that is gone, and keeps what it counted."""
        for cell in (LAYOUT.in_flight, LAYOUT.heartbeat, LAYOUT.busy_since, LAYOUT.load_s):
            self.slices[worker][cell] = 0.0

    def summary(self) -> dict[str, float]:
        """What `status` tells: requests for an answer of the model, errors among them, latencies in milliseconds."""
        scoring = [ROUTES.index("/score"), ROUTES.index("/v2/models/{model}/infer")]
        p50, p99 = self.quantiles_s(scoring, (0.5, 0.99))
        return {
            "requests": self.count(range(100, _CODES), scoring),
            "errors": self.count(range(400, _CODES), scoring),
            "p50_ms": round(p50 * 1000, 3),
            "p99_ms": round(p99 * 1000, 3),
        }


def observe(cells: memoryview[float], histogram: Histogram, value: float) -> None:
    """Adds one observation to a histogram in a worker's slice."""
    start, bounds = histogram
    cells[start + bisect_left(bounds, value)] += 1.0
    cells[start + len(bounds) + 1] += value


def request_cell(route: int, code: int) -> int:
    """Where the requests to a route that ended with a status code are counted."""
    return LAYOUT.requests + route * _CODES + code


def render(shared: Shared, labels: Sequence[tuple[str, str, str]], ready: bool) -> str:
    """All numbers in Prometheus' text format. `labels` are name, version and digest of each model."""
    lines: list[str] = []
    _head(lines, "http_server_requests_total", "counter", "Requests answered, by route and status code.")
    for route, name in enumerate(ROUTES):
        for code, value in enumerate(shared.totals(LAYOUT.requests + route * _CODES, _CODES)):
            if value:
                lines.append(f'http_server_requests_total{{route="{name}",code="{code}"}} {value:g}')
    _head(
        lines, "http_server_request_duration_seconds", "histogram", "From the last byte of a request to its answer."
    )
    for route, name in enumerate(ROUTES):
        _histogram(lines, shared, "http_server_request_duration_seconds", LAYOUT.latency[route], f'route="{name}"')
    for name, histogram, text in (
        ("mlplan_run_duration_seconds", LAYOUT.run, "One call of the model."),
        ("mlplan_queue_duration_seconds", LAYOUT.queue, "A request's wait for the model."),
        ("mlplan_batch_rows", LAYOUT.rows, "Rows in one call of the model."),
    ):
        _head(lines, name, "histogram", text)
        _histogram(lines, shared, name, histogram, "")
    _head(lines, "mlplan_requests_rejected_total", "counter", "Requests refused before they reached the model.")
    for place, reason in enumerate(REASONS):
        value = shared.total(LAYOUT.rejected + place)
        lines.append(f'mlplan_requests_rejected_total{{reason="{reason}"}} {value:g}')
    loads = [part[LAYOUT.load_s] for part in shared.slices]
    for name, kind, text, value in (
        ("http_server_active_requests", "gauge", "Requests being answered.", shared.total(LAYOUT.in_flight)),
        ("mlplan_model_load_seconds", "gauge", "Import, load and init() of the slowest worker.", max(loads)),
        ("mlplan_workers", "gauge", "Worker processes that answer.", sum(1 for load in loads if load)),
        ("mlplan_worker_restarts_total", "counter", "Workers replaced.", shared.total(LAYOUT.restarts)),
        ("mlplan_collect_dropped_total", "counter", "Records not collected.", shared.total(LAYOUT.dropped)),
        ("mlplan_ready", "gauge", "1 where requests are taken.", float(ready)),
    ):
        _head(lines, name, kind, text)
        lines.append(f"{name} {value:g}")
    _head(lines, "mlplan_model_info", "gauge", "The models that are served.")
    for name, version, digest in labels:
        lines.append(f'mlplan_model_info{{name="{name}",version="{version}",digest="{digest}"}} 1')
    return "\n".join(lines) + "\n"


def _head(lines: list[str], name: str, kind: str, text: str) -> None:
    lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def _histogram(lines: list[str], shared: Shared, name: str, histogram: Histogram, labels: str) -> None:
    *counts, total = shared.totals(histogram.start, histogram.size)
    if labels and not sum(counts):
        return
    seen = 0.0
    comma = "," if labels else ""
    for bound, count in zip([f"{bound:g}" for bound in histogram.bounds] + ["+Inf"], counts):
        seen += count
        lines.append(f'{name}_bucket{{{labels}{comma}le="{bound}"}} {seen:g}')
    braces = f"{{{labels}}}" if labels else ""
    lines += [f"{name}_sum{braces} {total:g}", f"{name}_count{braces} {seen:g}"]
