"""A model by an entry script: `init()` once per worker, `run(data)` per request.

What `run` gets, by how the script declares it:

    plain                       its first parameter: the body as text; of a GET, the query as a JSON object
    schema decorators           its parameters, by name, out of the body's JSON object (package inference-schema)
    the raw HTTP decorator      its first parameter: the request (`shims/`)
    a parameter request_headers the request's headers, beside any of these

It may be `async def`. What it returns is JSON, an object with `toJSON()`, an AMLResponse, or a response object as
web frameworks have them.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
from collections.abc import Sequence
from typing import Any, Callable
from urllib.parse import parse_qsl

from . import collect, examples, json_text, logs, oip, raw_http, stacking
from .jobs import Job, Stack
from .messages import JSON, Refused, Request
from .results import to_response
from .settings import Settings

_HEADERS = "request_headers"


class ScriptError(Exception):
    """The script can't be served; the text says why."""


class EntryScript:
    """A script that has been loaded, its `init` not yet called."""

    def __init__(self, path: str, settings: Settings) -> None:
        module = _load(path)
        self._init = _function(module, "init", path)
        self.run = _function(module, "run", path)
        self._batch = bool(settings.batch)
        self._collects = collect.current() is not None
        parameters = _parameters(self.run, path)
        self._wants_headers = _HEADERS in parameters
        self._names = {name: parameter for name, parameter in parameters.items() if name != _HEADERS}
        if not self._names:
            raise ScriptError(f"{path}: run() needs a parameter for the request's data")
        self.is_schema = _is_schema_decorated(self.run)
        self.is_raw_http = raw_http.is_asked_for()
        if self.is_schema and self.is_raw_http:
            raise ScriptError(f"{path}: the raw HTTP decorator and schema decorators don't go together")
        self.is_async = inspect.iscoroutinefunction(inspect.unwrap(self.run))
        if self.is_schema:
            self.arguments = self._by_schema
        elif self.is_raw_http:
            self.arguments = self._by_request
        else:
            self.arguments = self._by_text
        self._first = next(iter(self._names))
        samples = _samples(self.run) if self.is_schema else {}
        # The decorators look for each parameter that they know of, and don't see its default.
        self._defaults = {name: p.default for name, p in self._names.items() if name in samples}
        self._tensors = examples.Parameters(samples)
        self.inputs = self._tensors.inputs
        self._body_code = getattr(inspect.unwrap(self.run), "__code__", None)

    def init(self) -> None:
        """Calls the script's `init`."""
        self._init()

    def enter_thread(self) -> None:
        """Called by each thread that will call `run`; a script needs nothing there."""

    def score(self, request: Request) -> Job:
        """The job that answers a request. Raises: Refused where it isn't one for this script."""
        arguments = self.arguments(request)
        if self._wants_headers:
            arguments[_HEADERS] = canonical_headers(request)
        goes_along = self._batch and not self.is_raw_http and not self._wants_headers
        stack = self._stack(request, arguments) if goes_along else None
        rows = stack.data[1] if stack else 1
        return Job(request, lambda: self._answer(request, arguments), to_response, stack, rows, self.is_async)

    def infer(self, request: Request, asked: oip.Inference, model: str, version: str) -> Job:
        """The job for an inference by the Open Inference Protocol. Raises: Refused."""
        if self.is_raw_http:
            raise Refused(400, "This model takes plain HTTP requests at /score alone.")
        tensors = {tensor.name: tensor.values.tolist() for tensor in asked.tensors}
        arguments = self._by_tensors(tensors)
        if self._wants_headers:
            arguments[_HEADERS] = canonical_headers(request)
        given_id = asked.id or request.id.decode("latin-1")
        encode = oip.answer(model, version, given_id, lambda result: _chosen(oip.tensors_of(result), asked.outputs))
        return Job(request, lambda: self._run(request, arguments), encode, is_async=self.is_async)

    def call(self, arguments: dict[str, Any]) -> Any:
        """What `run` gives. Raises: Refused where a schema decorator says no; whatever the script raises."""
        if not self.is_schema:
            return self.run(**arguments)
        try:
            return self.run(**arguments)
        except Exception as error:
            if self._is_from_script(error):
                raise
            raise Refused(400, f"The input doesn't fit the schema: {error}") from error

    def _answer(self, request: Request, arguments: dict[str, Any]) -> Any:
        """What `run` gives. A plain script gets whatever text comes; where that claims to be JSON, isn't, and `run`
        fails on it, that is the client's fault."""
        try:
            return self._run(request, arguments)
        except Exception:
            if b"json" in request.headers.get(b"content-type", b"") and not self.is_raw_http:
                parse_json(request.body)
            raise

    def _run(self, request: Request, arguments: dict[str, Any]) -> Any:
        """What `run` gives, and what the script collects meanwhile is this request's."""
        if self._collects:
            collect.answering(collect.Asking(request.id.decode("latin-1"), _is_kept(request)))
        return self.call(arguments)

    def _by_text(self, request: Request) -> dict[str, Any]:
        if request.method == b"GET":
            return {self._first: query_as_json(request.query).decode()}
        return {self._first: decoded(unpacked_body(request))}

    def _by_request(self, request: Request) -> dict[str, Any]:
        return {self._first: raw_http.make_request(request)}

    def _by_schema(self, request: Request) -> dict[str, Any]:
        body = query_as_json(request.query) if request.method == b"GET" else json_body(request)
        value = parse_json(body)
        if not isinstance(value, dict):
            raise Refused(400, f"The body must be a JSON object with {_listed(self._names)}.")
        return self._by_name(value)

    def _by_tensors(self, tensors: dict[str, Any]) -> dict[str, Any]:
        """A single tensor under a name of its own is the first parameter's, or a plain script's data."""
        if self.is_schema:
            found = self._tensors.values(tensors)
            is_unknown = len(found) == 1 and not found.keys() & self._names.keys()
            return self._by_name({self._first: next(iter(found.values()))} if is_unknown else found)
        data = {"data": next(iter(tensors.values()))} if len(tensors) == 1 else tensors
        return {self._first: json_text.dumps(data).decode()}

    def _by_name(self, value: dict[str, Any]) -> dict[str, Any]:
        missing = [name for name, p in self._names.items() if name not in value and p.default is p.empty]
        if missing:
            raise Refused(400, f"The body lacks {_listed(missing)}.")
        return {**self._defaults, **{name: value[name] for name in self._names if name in value}}

    def _is_from_script(self, error: BaseException) -> bool:
        """Whether the script's own code was reached, and not only the decorators around it."""
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code is self._body_code:
                return True
            trace = trace.tb_next
        return False

    def _stack(self, request: Request, arguments: dict[str, Any]) -> Stack | None:
        """How this request's rows go together with others', where its data is rows."""
        if len(arguments) != 1 or (self._collects and not _is_kept(request)):
            return None
        (name,) = arguments
        batch = stacking.from_arguments(arguments[name], is_text=not self.is_schema)
        if batch is None:
            return None

        def run_all(items: Sequence[Any]) -> list[Any]:
            if self._collects:
                collect.answering(collect.Asking(b",".join(item[2] for item in items).decode("latin-1")))
            together = self.run(**{name: stacking.join([item[0] for item in items], is_text=not self.is_schema)})
            return stacking.split(together, [item[1] for item in items])

        return Stack(batch.key, (batch.value, batch.rows, request.id), run_all)


def _is_kept(request: Request) -> bool:
    return request.headers.get(collect.NOT_KEPT) != b"no"


def _chosen(tensors: list[dict[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """The outputs that were asked for, by name; all of them where none was."""
    return [tensor for tensor in tensors if tensor["name"] in names] if names else tensors


def json_body(request: Request) -> bytes:
    """The body of a request that has to be JSON. Raises: Refused with a 415."""
    kind = request.headers.get(b"content-type")
    if kind is not None:
        essence = kind.split(b";", 1)[0].strip().lower()
        if essence != JSON and not essence.endswith(b"+json"):
            raise Refused(415, "Expects Content-Type to be application/json.")
    return unpacked_body(request)


def unpacked_body(request: Request) -> bytes:
    """The body. Raises: Refused with a 415 where it is packed: unpacked, a small one can be larger than any limit."""
    if request.headers.get(b"content-encoding", b"identity").lower() != b"identity":
        text = "The body must come as it is, without a Content-Encoding."
        raise Refused(415, text, ((b"accept-encoding", b"identity"),))
    return request.body


def parse_json(body: bytes) -> Any:
    """The decoded body. Raises: Refused with a 400 that says where it stops being JSON."""
    try:
        return json_text.loads(body)
    except (ValueError, RecursionError) as error:
        if not body:
            raise Refused(400, "The body is empty; it must be JSON.") from None
        decoded(body)
        raise Refused(400, f"The body is not JSON: {error}.") from None


def decoded(body: bytes) -> str:
    """The body as text. Raises: Refused with a 400 that says where it stops being UTF-8."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(400, f"The body is not UTF-8: {error.reason} at byte {error.start}.") from None


def query_as_json(query: bytes) -> bytes:
    """A query string as a JSON object: values that are JSON are taken as such, repeated names become lists."""
    found: dict[str, list[Any]] = {}
    for name, text in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        try:
            value = json_text.loads(text)
        except ValueError:
            value = text
        found.setdefault(name, []).append(value)
    return json_text.dumps({name: values[0] if len(values) == 1 else values for name, values in found.items()})


def canonical_headers(request: Request) -> dict[str, str]:
    """The headers under the names that scripts look them up by: `X-Ms-Request-Id`."""
    return {name.decode("latin-1").title(): value.decode("latin-1") for name, value in request.headers.items()}


def _load(path: str) -> Any:
    """The script as a module, its folder first on the path, so that it finds what lies beside it."""
    if not os.path.isfile(path):
        raise ScriptError(f"{path}: there is no such entry script")
    sys.path.insert(0, os.path.dirname(path))
    logs.show_logging()
    name = os.path.splitext(os.path.basename(path))[0]
    if name in sys.modules:
        name = f"entry_{name}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    # Wrappers that an older tool generated keep the user's functions one level down.
    return getattr(module, "driver_module", module)


def _function(module: Any, name: str, path: str) -> Callable[..., Any]:
    function = getattr(module, name, None)
    if not callable(function):
        raise ScriptError(f"{path}: there is no {name}()")
    return function  # type: ignore[no-any-return]  # callable is all that is known


def _parameters(run: Callable[..., Any], path: str) -> dict[str, inspect.Parameter]:
    parameters = dict(inspect.signature(run).parameters)
    for parameter in parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ScriptError(
                f"{path}: run() may not have positional-only, *args or **kwargs parameters ({parameter})"
            )
    return parameters


def _is_schema_decorated(run: Callable[..., Any]) -> bool:
    if "inference_schema.schema_util" not in sys.modules:  # nothing has imported it, so nothing is decorated
        return False
    return bool(sys.modules["inference_schema.schema_util"].is_schema_decorated(run))


def _samples(run: Callable[..., Any]) -> dict[str, Any]:
    """The samples that a script's schema decorators were given, by parameter."""
    return dict(sys.modules["inference_schema.schema_util"].get_input_schema(run).get("example", {}))


def _listed(names: Any) -> str:
    return ", ".join(f'"{name}"' for name in names)
