"""The Open Inference Protocol, version 2: tensors in and out, and what the models are.

    GET  /v2, /v2/health/live, /v2/health/ready
    GET  /v2/models/NAME[/versions/VERSION], .../ready
    POST /v2/models/NAME[/versions/VERSION]/infer

An error is {"error": text}. For an estimator the tensor is its rows, or each tensor is one of its columns; the
outputs asked for are named after its methods, `predict` where none is. An entry script gets a single tensor as
{"data": [...]}, several under their names, and its result's lists are the outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, NamedTuple

from . import json_text
from .messages import Refused, Response
from .results import as_json

DATATYPES = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    "BYTES": "object",
}
_NAMES = {dtype: name for name, dtype in DATATYPES.items()}
_KINDS = {"b": "bool", "i": "integer", "u": "integer", "f": "number", "O": "text"}
_ALLOWED: dict[str, set[type]] = {"b": {bool}, "i": {int}, "u": {int}, "f": {int, float}, "O": {str}}
_MAX_RANK = 32


class Tensor(NamedTuple):
    """One named array."""

    name: str
    values: Any


class Described(NamedTuple):
    """A tensor that may be sent. -1 in its shape is any length, the same for all tensors of a request."""

    name: str
    datatype: str
    shape: list[int]


class Inference(NamedTuple):
    """A request for an inference."""

    id: str | None
    tensors: tuple[Tensor, ...]
    outputs: tuple[str, ...]  # the names of those asked for; empty: whatever there is


def read(value: Any) -> Inference:
    """The inference that a decoded body asks for. Raises: Refused."""
    if not isinstance(value, dict):
        raise Refused(400, "The body must be a JSON object with inputs.")
    listed = value.get("inputs")
    if not isinstance(listed, list) or not listed:
        raise Refused(400, '"inputs" must be a list of tensors, at least one.')
    given_id = value.get("id")
    if given_id is not None and not isinstance(given_id, str):
        raise Refused(400, '"id" must be text.')
    asked = value.get("outputs") or []
    if not isinstance(asked, list) or not all(isinstance(i, dict) and isinstance(i.get("name"), str) for i in asked):
        raise Refused(400, '"outputs" must be a list of objects, each with a name.')
    tensors = tuple(_tensor(item) for item in listed)
    if len({tensor.name for tensor in tensors}) != len(tensors):
        raise Refused(400, "Two inputs have the same name.")
    return Inference(given_id, tensors, tuple(item["name"] for item in asked))


def _tensor(item: Any) -> Tensor:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise Refused(400, "Each input must be an object with name, shape, datatype and data.")
    name, shape, datatype, data = item["name"], item.get("shape"), item.get("datatype"), item.get("data")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise Refused(400, f'The datatype of "{name}" must be one of {", ".join(DATATYPES)}.')
    if not isinstance(shape, list) or not 0 < len(shape) <= _MAX_RANK or not all(_is_length(n) for n in shape):
        raise Refused(400, f'The shape of "{name}" must be a list of lengths.')
    if not isinstance(data, list):
        raise Refused(400, f'The data of "{name}" must be a list.')
    return Tensor(name, _array(name, data, shape, datatype))


def _is_length(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40


def _array(name: str, data: list[Any], shape: list[int], datatype: str) -> Any:
    """The data, flat or nested, in its shape."""
    np = _numpy()
    # As objects first: asked to find a type, NumPy would make room for the longest text in each place.
    found = np.array(data, dtype=object)
    kinds = set(map(type, found.flat))
    if list in kinds:
        raise Refused(400, f'The data of "{name}" are ragged.')
    if (found.ndim > 1 and list(found.shape) != shape) or found.size != int(np.prod(shape, dtype=object)):
        raise Refused(400, f'The data of "{name}" are not of shape {shape}.')
    wanted = np.dtype(DATATYPES[datatype])
    if not kinds <= _ALLOWED[wanted.kind] or not _in_range(found, wanted):
        raise Refused(400, f'The data of "{name}" are not all of {_KINDS[wanted.kind]} as {datatype} has them.')
    try:
        return found.astype(wanted).reshape(shape)
    except ValueError:  # it holds nothing, and NumPy multiplies the other lengths all the same
        raise Refused(400, f'The shape of "{name}" has more places than there can be.') from None


def _numpy() -> Any:
    """NumPy, which a script's environment may lack."""
    try:
        import numpy
    except ImportError:
        raise Refused(400, "The Open Inference Protocol needs NumPy in the service's environment.") from None
    return numpy


def _in_range(found: Any, wanted: Any) -> bool:
    if wanted.kind not in "iu" or not found.size:
        return True
    limits = _numpy().iinfo(wanted)
    return bool(found.min() >= limits.min and found.max() <= limits.max)


def tensor_json(name: str, values: Any) -> dict[str, Any]:
    """A tensor as it stands in an answer. Raises: TypeError for what is no array of a known type."""
    np = _numpy()
    values = np.asarray(values)
    if values.dtype.kind in "US" or values.dtype.kind == "O":
        texts = [item if isinstance(item, str) else json_text.dumps(item, as_json).decode() for item in values.flat]
        return {"name": name, "shape": list(values.shape), "datatype": "BYTES", "data": texts}
    datatype = _NAMES.get(values.dtype.name)
    if datatype is None:
        raise TypeError(f"{values.dtype} is no datatype of the protocol")
    return {
        "name": name,
        "shape": list(values.shape),
        "datatype": datatype,
        "data": np.ascontiguousarray(values).ravel(),
    }


def answer(
    model: str, version: str, given_id: str, tensors: Callable[[Any], Sequence[dict[str, Any]]]
) -> Callable[[Any], Response]:
    """What makes an answer of a result, by the tensors in it."""

    def encode(result: Any) -> Response:
        body = {"model_name": model, "model_version": version, "id": given_id, "outputs": list(tensors(result))}
        return Response(200, json_text.dumps(body, as_json))

    return encode


def tensors_of(result: Any) -> list[dict[str, Any]]:
    """The tensors in what an entry script returned: its lists, or its members that are lists, or its JSON text."""
    if isinstance(result, dict) and result:
        return [_tensor_of(str(name), value) for name, value in result.items()]
    return [_tensor_of("output", result)]


def _tensor_of(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, (list, tuple)) or hasattr(value, "dtype"):
        try:
            return tensor_json(name, value)
        except (TypeError, ValueError):  # ragged, or objects
            pass
    return tensor_json(name, [value if isinstance(value, str) else json_text.dumps(value, as_json).decode()])
