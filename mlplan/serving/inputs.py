"""Rows out of a request's JSON: the forms that clients of today's servers send, as one array or one table.

    {"data": [[...], ...]}                                   rows; of a text model, texts
    {"data": [{"a": 1}, ...]}, {"dataframe_records": ...}    records
    {"data": {"columns": [...], "data": [[...]]}}, {"dataframe_split": ...}, {"input_data": ...}
    {"data": {"a": [...], "b": [...]}}                       columns
    {"instances": ...}, {"inputs": ...}                      any of these

`Schema` is what a model says about its input; what doesn't fit it is refused with a sentence that says what would.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .messages import Refused
from .schema import KEYS, Schema

_SHOWN = 8


class Table(NamedTuple):
    """The input of one request."""

    values: Any  # a float array of rows; an array of objects; or a list of texts or objects
    rows: int
    numeric: bool


def read(value: Any, schema: Schema) -> Table:
    """The rows in a decoded body. Raises: Refused with what is wrong about them."""
    if not isinstance(value, dict):
        raise Refused(400, 'The body must be a JSON object: {"data": [[...], ...]}.')
    if "data" in value and len(value) == 1 + ("method" in value):  # the usual case, without a look at all the keys
        return read_rows(value["data"], schema, "data")
    given = [key for key in KEYS if key in value]
    if len(given) != 1:
        said = f"not {_listed(given)} together" if given else f"one of {_listed(KEYS)}"
        raise Refused(400, f'The body must hold the rows once, {said}: {{"data": [[...], ...]}}.')
    return read_rows(value[given[0]], schema, given[0])


def read_rows(data: Any, schema: Schema, where: str) -> Table:
    """The rows in any of the forms."""
    if isinstance(data, dict):
        data = _from_mapping(data, schema, where)
    elif isinstance(data, list) and data and isinstance(data[0], dict) and (schema.width or schema.names):
        data = _from_records(data, schema, where)
    if not isinstance(data, list):
        raise Refused(400, f'"{where}" must be a list of rows.')
    if not data:
        raise Refused(400, f'"{where}" has no rows.')
    if schema.width is not None and not isinstance(data[0], list):
        raise _no_rows(schema, where)
    return check(_to_array(data, schema, where), schema, where)


def check(values: Any, schema: Schema, where: str) -> Table:
    """The rows, once they have the shape that the model wants."""
    if isinstance(values, list):
        if schema.width is not None:
            raise _no_rows(schema, where)
        return Table(values, len(values), False)
    if schema.width is not None:
        if values.ndim != 2:
            raise _no_rows(schema, where)
        _check_width(values.shape[1], schema, where)
        if values.dtype.kind == "O" and not schema.texts:
            raise Refused(400, f'The values of "{where}" must be numbers.')
    elif values.ndim > 2:
        raise _no_rows(schema, where)
    return Table(values, len(values), values.dtype.kind == "f")


def _to_array(data: list[Any], schema: Schema, where: str) -> Any:
    """Numbers as a float array, null as NaN; rows with texts in them as an array of objects; else the list itself.

    NumPy isn't asked to find out what the values are: it would make room for the longest text in each place, and one
    long text among many values would take all memory.
    """
    dtype = None if schema.width is None else np.float64  # who doesn't know its columns may want integers
    if not _are_numbers(data):
        kinds = {kind for row in data for kind in map(type, row if isinstance(row, list) else (row,))}
        if list in kinds:
            raise _no_rows(schema, where)
        if dict in kinds:
            return data
        if str in kinds:
            return _texts(data, where)
        if type(None) in kinds:
            dtype = np.float64
    try:
        return np.array(data, dtype=dtype)
    except ValueError:
        raise _ragged(where) from None
    except OverflowError:
        raise Refused(400, f'"{where}" has a number that is too large.') from None


def _are_numbers(data: list[Any]) -> bool:
    """Whether there is nothing but numbers in the rows. A sum says it fastest: it takes nothing else."""
    try:
        for row in data:
            sum(row)
    except (TypeError, OverflowError):
        return False
    return True


def _texts(data: list[Any], where: str) -> Any:
    """Rows with texts in them as an array of objects; a list of texts as it is."""
    values = np.array(data, dtype=object)
    if values.ndim == 2:
        return values
    if any(isinstance(row, list) for row in data):
        raise _ragged(where)
    return data


def _check_width(width: int, schema: Schema, where: str) -> None:
    """Raises: Refused where so many values are not what the model wants of a row."""
    if schema.width is not None and width != schema.width:
        raise Refused(400, f'Each row of "{where}" must have {schema.width} values; it has {width}.')


def _no_rows(schema: Schema, where: str) -> Refused:
    wanted = "values" if schema.width is None else f"{schema.width} values"
    return Refused(400, f'"{where}" must be a list of rows, each a list of {wanted}.')


def _ragged(where: str) -> Refused:
    return Refused(400, f'The rows of "{where}" must all have the same number of values.')


def _from_mapping(data: dict[str, Any], schema: Schema, where: str) -> Any:
    if isinstance(data.get("data"), list) and isinstance(data.get("columns"), list):
        return _in_order(data["columns"], data["data"], schema, where)
    columns = list(data)
    lists = list(data.values())
    if not lists or not all(isinstance(item, list) for item in lists):
        raise Refused(400, f'"{where}" must be rows, records, columns of lists, or an object of columns and data.')
    if len({len(item) for item in lists}) != 1:
        raise Refused(400, f'The columns of "{where}" must all have the same length.')
    return _in_order(columns, [list(row) for row in zip(*lists)], schema, where)


def _from_records(data: list[Any], schema: Schema, where: str) -> Any:
    if not all(isinstance(record, dict) for record in data):
        raise Refused(400, f'The rows of "{where}" must all be objects, or all be lists.')
    columns = list(data[0])
    _check_columns(columns, schema, where)
    if any(record.keys() != data[0].keys() for record in data):
        raise Refused(400, f'The records of "{where}" must all have the same names.')
    order = schema.names or columns
    return [[record[name] for name in order] for record in data]


def _in_order(columns: Sequence[Any], rows: Sequence[Any], schema: Schema, where: str) -> list[Any]:
    """The rows with their columns in the model's order."""
    if any(not isinstance(row, list) or len(row) != len(columns) for row in rows):
        raise Refused(400, f'Each row of "{where}" must have {len(columns)} values, one per column.')
    _check_columns(columns, schema, where)
    if schema.names is None:
        return list(rows)
    places = [columns.index(name) for name in schema.names]
    return [[row[place] for place in places] for row in rows]


def _check_columns(columns: Sequence[Any], schema: Schema, where: str) -> None:
    """Raises: Refused where these aren't the model's columns, as far as it knows its own."""
    if schema.names is None:
        _check_width(len(columns), schema, where)
        return
    missing = [name for name in schema.names if name not in columns]
    unknown = [name for name in columns if name not in schema.names]
    if missing or unknown or len(set(map(str, columns))) != len(columns):
        lacks = f" It lacks {_listed(missing)}." if missing else ""
        knows = f" The model has no {_listed(unknown)}." if unknown else ""
        raise Refused(400, f'The columns of "{where}" are not the model\'s.{lacks}{knows}')


def _listed(names: Sequence[Any]) -> str:
    shown = ", ".join(f'"{name}"' for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
