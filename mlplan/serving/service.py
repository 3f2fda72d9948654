"""The routes of a service: which request goes where, who may ask, and what every answer carries.

A request comes whole from `connection.py`; one for the model goes on to `scoring.py`. Routes are looked up by the
bytes of the path.
"""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import Callable, NamedTuple, Optional, Protocol
from urllib.parse import parse_qsl

from . import json_text, logs, metrics, oip_routes, openapi
from .auth import Keys
from .collect import NOT_KEPT, Collector
from .jobs import LARGE_BODY, Job, reading_too
from .messages import TEXT, Refused, Request, Response, error_response
from .metrics import LAYOUT, REASONS, ROUTES, Shared, observe, request_cell
from .oip_routes import Infers, Path
from .scoring import Dispatcher
from .settings import Config
from .traces import trace_of


class Model(Infers, Protocol):
    """What answers: an entry script or an estimator."""

    is_async: bool

    def score(self, request: Request) -> Job:
        """The job for a request. Raises: Refused."""


_COLLECTED = (ROUTES.index("/score"), ROUTES.index("/v2/models/{model}/infer"))

Handler = Callable[[Request], Optional[Response]]


class Route(NamedTuple):
    """One path."""

    place: int  # in ROUTES
    open: bool  # needs no key
    methods: dict[bytes, Handler]


class Service:
    """Answers the requests of one worker."""

    def __init__(
        self,
        config: Config,
        model: Model,
        dispatcher: Dispatcher,
        keys: Keys | None,
        collector: Collector | None,
        shared: Shared,
        worker: int,
    ) -> None:
        self.config = config
        self.model = model
        self.dispatcher = dispatcher
        self.keys = keys
        self.shared = shared
        self.cells = shared.slices[worker]
        self.ready = False
        wanted = collector is not None and (collector.plan.inputs or collector.plan.outputs)
        self._collector = collector if wanted else None
        self._routes = self._table()
        self._other = Route(ROUTES.index("other"), False, {})

    def handle(self, request: Request) -> None:
        """Answers a request, now or later. Raises nothing."""
        try:
            route = self._routes.get(request.path, self._other)
            request.route = route.place
            if request.method == b"OPTIONS" and b"access-control-request-method" in request.headers:
                request.answer(self._preflight(route))
                return
            if self.keys is not None and not route.open:
                self._check_key(request)
            handler = route.methods.get(request.method)
            if handler is None:
                response: Response | None = self._no_handler(request, route)
            else:
                response = handler(request)
        except Refused as refused:
            response = error_response(request, refused.status, refused.message, refused.headers)
        except Exception as error:
            self.report(request, error)
            response = error_response(request, 500, "The service failed on this request; its log says why.")
        if response is not None:
            request.answer(response)

    def count(self, request: Request, response: Response) -> None:
        """Notes an answer in the metrics, and in the log where it is an error."""
        cells = self.cells
        route = request.route
        status = response.status
        cells[request_cell(route, status)] += 1.0
        if request.started:
            observe(cells, LAYOUT.latency[route], perf_counter() - request.started)
        if (
            self._collector is not None
            and status == 200
            and route in _COLLECTED
            and request.method == b"POST"
            and request.headers.get(NOT_KEPT) != b"no"
        ):
            self._collector.request(self._collector.place, request.id.decode("latin-1"), request.body, response.body)
        if status >= 400 or self.config.settings.log_requests:
            log(request, f"{request.method.decode('latin-1')} {logs.shown(request.path)} {status}")

    def reject(self, reason: int) -> None:
        """Notes a request that was refused before it reached a route."""
        self.cells[LAYOUT.rejected + reason] += 1.0

    def report(self, request: Request, error: BaseException) -> None:
        """Logs an exception with its trace."""
        log(request, trace_of(error))

    # --- routes

    def _table(self) -> dict[bytes, Route]:
        """All routes. The paths of the Open Inference Protocol depend on the models."""
        score: dict[str, Handler] = {"POST": self._score}
        if hasattr(self.model, "run"):  # a script may be asked by a query
            score["GET"] = self._score
        own = (
            Path("/", "/", True, {"GET": self._healthy}),
            Path("/health/live", "/health/live", True, {"GET": self._live}),
            Path("/health/ready", "/health/ready", True, {"GET": self._is_ready}),
            Path("/score", "/score", False, score),
            Path("/swagger.json", "/swagger.json", False, {"GET": self._describe}),
            Path("/metrics", "/metrics", False, {"GET": self._metrics}),
        )
        protocol = oip_routes.paths(self.config, self.model, self._take, lambda: self.ready)
        return {path.path.encode(): _route(path) for path in (*own, *protocol)}

    def _check_key(self, request: Request) -> None:
        assert self.keys is not None
        if self.keys.allow(request.headers):
            return
        self.keys.refresh()
        if not self.keys.allow(request.headers):
            self.reject(REASONS.index("key"))
            raise Refused(
                401, "A valid key is needed: Authorization: Bearer KEY.", ((b"www-authenticate", b"Bearer"),)
            )

    def _no_handler(self, request: Request, route: Route) -> Response:
        if route is self._other:
            return error_response(request, 404, "There is nothing at this path; /swagger.json lists what there is.")
        allowed = ((b"allow", b", ".join(sorted((*route.methods, b"OPTIONS")))),)
        if request.method == b"OPTIONS":
            return Response(200, b"", TEXT, allowed)
        return error_response(request, 405, "This path doesn't take that method.", allowed)

    def _healthy(self, request: Request) -> Response:
        return Response(200, b"Healthy", TEXT)

    def _live(self, request: Request) -> Response:
        return Response(200, b'{"status":"live"}')

    def _is_ready(self, request: Request) -> Response:
        if self.ready:
            return Response(200, b'{"status":"ready"}')
        return Response(503, b'{"status":"not ready"}')

    def _take(self, request: Request, make: Callable[[], Job]) -> None:
        """Answers a request by the job that `make` reads out of it. Raises: Refused where there is none in it."""
        large = len(request.body) > LARGE_BODY and not self.model.is_async
        self.dispatcher.submit(reading_too(request, make) if large else make())

    def _score(self, request: Request) -> None:
        self._take(request, partial(self.model.score, request))

    def _preflight(self, route: Route) -> Response:
        """What a browser asks before it asks. The connection adds whether its page's origin is allowed."""
        if not self.config.settings.cors_origins:
            return Response(200, b"", TEXT)
        allowed = b", ".join(sorted(route.methods))
        names = b"authorization, content-type, x-api-key, x-request-id"
        return Response(
            200, b"", TEXT, ((b"access-control-allow-methods", allowed), (b"access-control-allow-headers", names))
        )

    def _describe(self, request: Request) -> Response:
        asked = dict(parse_qsl(request.query.decode("latin-1"))).get("version", "3.1")
        version = openapi.VERSIONS.get(asked)
        if version is None:
            raise Refused(404, f"There is no such version; there are {', '.join(openapi.VERSIONS)}.")
        return Response(200, json_text.dumps(openapi.document(self.config, self.model, version)))

    def _metrics(self, request: Request) -> Response:
        labels = [(model.name, model.version, model.digest) for model in self.config.models]
        text = metrics.render(self.shared, labels, self.ready)
        return Response(200, text.encode(), b"text/plain; version=0.0.4; charset=utf-8")


def _route(path: Path) -> Route:
    methods = {method.encode(): handler for method, handler in path.methods.items()}
    if b"GET" in methods:
        methods.setdefault(b"HEAD", methods[b"GET"])
    return Route(ROUTES.index(path.counted), path.open, methods)


def log(request: Request, text: str) -> None:
    """One entry in the service's log about a request."""
    logs.say(f"[{request.id.decode('latin-1')}] {text}")
