"""The routes of the Open Inference Protocol, for one service: paths by name and version, all known from the start."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Callable, NamedTuple, Protocol

from . import VERSION, json_text, oip
from .entry import json_body, parse_json
from .jobs import Job
from .messages import Refused, Request, Response
from .settings import Config, Model


class Infers(Protocol):
    """What answers inferences: an entry script or an estimator."""

    inputs: list[oip.Described]  # what it is asked with; empty where that isn't known

    def infer(self, request: Request, asked: oip.Inference, model: str, version: str) -> Job:
        """The job for an inference. Raises: Refused."""


Take = Callable[[Request, Callable[[], Job]], None]
"""Answers a request by the job that is read out of it."""


class Path(NamedTuple):
    """One path: under which name it is counted, whether it needs no key, and who answers which method."""

    path: str
    counted: str
    open: bool
    methods: dict[str, Callable[[Request], Response | None]]


def paths(config: Config, model: Infers, take: Take, is_ready: Callable[[], bool]) -> Iterator[Path]:
    """All paths. A service without models, or with several, is itself a model by its own name."""

    def live(request: Request) -> Response:
        return Response(200, b'{"live":true}')

    def ready(request: Request) -> Response:
        return Response(200, b'{"ready":true}') if is_ready() else Response(503, b'{"ready":false}')

    yield Path("/v2", "/v2", False, {"GET": _always(server_metadata(config))})
    yield Path("/v2/health/live", "/v2/health/live", True, {"GET": live})
    yield Path("/v2/health/ready", "/v2/health/ready", True, {"GET": ready})
    for served in served_models(config):
        for place in (served.name, f"{served.name}/versions/{served.version}"):
            base = f"/v2/models/{place}"
            about = _always(model_metadata(served, config, model))
            yield Path(base, "/v2/models/{model}", False, {"GET": about})
            yield Path(f"{base}/ready", "/v2/models/{model}/ready", False, {"GET": _ready_of(served, is_ready)})
            yield Path(f"{base}/infer", "/v2/models/{model}/infer", False, {"POST": _infer(served, model, take)})


def served_models(config: Config) -> tuple[Model, ...]:
    """The models by name; the service itself among them where it isn't just one model."""
    itself = Model(config.name, "1", config.digest, "", "")
    names = {model.name for model in config.models}
    return config.models if len(config.models) == 1 or config.name in names else (*config.models, itself)


def server_metadata(config: Config) -> dict[str, Any]:
    """What `/v2` tells."""
    return {"name": config.name, "version": VERSION, "extensions": [], "parameters": digests(config)}


def digests(config: Config) -> dict[str, str]:
    """The digests of what is served: the models together, the code, the manifest; those that are known."""
    known = {
        "digest": config.digest,
        "code_digest": config.settings.code_digest,
        "manifest_digest": config.settings.manifest_digest,
    }
    return {name: value for name, value in known.items() if value}


def model_metadata(served: Model, config: Config, model: Any) -> dict[str, Any]:
    """What `/v2/models/NAME` tells."""
    outputs = []
    for name, values in getattr(model, "outputs", {}).items():
        described = oip.tensor_json(name, values)
        outputs.append({"name": name, "datatype": described["datatype"], "shape": [-1, *described["shape"][1:]]})
    return {
        "name": served.name,
        "versions": [served.version],
        "platform": served.framework or "python",
        "inputs": [described._asdict() for described in model.inputs],
        "outputs": outputs,
        "parameters": {**digests(config), "model_digest": served.digest},
    }


def _always(value: dict[str, Any]) -> Callable[[Request], Response]:
    response = Response(200, json_text.dumps(value))
    return lambda request: response


def _ready_of(served: Model, is_ready: Callable[[], bool]) -> Callable[[Request], Response]:
    def ready(request: Request) -> Response:
        is_now = is_ready()
        return Response(200 if is_now else 503, json_text.dumps({"name": served.name, "ready": is_now}))

    return ready


def _infer(served: Model, model: Infers, take: Take) -> Callable[[Request], None]:
    def read(request: Request) -> Job:
        asked = oip.read(parse_json(json_body(request)))
        return model.infer(request, asked, served.name, served.version)

    def infer(request: Request) -> None:
        if b"inference-header-content-length" in request.headers:
            raise Refused(400, "Tensors must be sent as JSON: binary data is an extension that isn't offered.")
        take(request, partial(read, request))

    return infer
