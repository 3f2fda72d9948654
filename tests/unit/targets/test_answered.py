"""What replicas have answered, all together, from their pages at `/metrics`."""

from __future__ import annotations

from mlplan.targets.docker.answered import answered

FIRST = """\
# HELP http_server_requests_total Requests answered, by route and status code.
http_server_requests_total{route="/",code="200"} 40
http_server_requests_total{route="/score",code="200"} 3
http_server_requests_total{route="/v2/models/{model}/infer",code="400"} 1
http_server_request_duration_seconds_bucket{route="/",le="+Inf"} 40
http_server_request_duration_seconds_bucket{route="/score",le="0.001"} 1
http_server_request_duration_seconds_bucket{route="/score",le="0.01"} 3
http_server_request_duration_seconds_bucket{route="/score",le="+Inf"} 3
http_server_request_duration_seconds_bucket{route="/v2/models/{model}/infer",le="0.001"} 1
http_server_request_duration_seconds_bucket{route="/v2/models/{model}/infer",le="0.01"} 1
http_server_request_duration_seconds_bucket{route="/v2/models/{model}/infer",le="+Inf"} 1
http_server_request_duration_seconds_sum{route="/score"} 0.012
mlplan_worker_restarts_total 2
mlplan_model_info{name="a, b",version="1",digest="d"} 1
"""
SECOND = """\
http_server_requests_total{route="/score",code="200"} 6
http_server_request_duration_seconds_bucket{route="/score",le="0.001"} 6
http_server_request_duration_seconds_bucket{route="/score",le="0.01"} 6
http_server_request_duration_seconds_bucket{route="/score",le="+Inf"} 6
mlplan_worker_restarts_total 1
"""


def test_replicas_are_added_up() -> None:
    # Eight of ten took up to 1 ms, two from 1 to 10 ms.
    found = answered([FIRST, SECOND])
    assert found.metrics == {"requests": 10, "errors": 1, "p50_ms": 0.625, "p99_ms": 9.55}
    assert found.restarts == 3


def test_a_service_that_nobody_asked_has_answered_nothing() -> None:
    assert answered([]).metrics == {"requests": 0, "errors": 0, "p50_ms": 0.0, "p99_ms": 0.0}
