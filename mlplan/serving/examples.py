"""The tensors by which a script with schema decorators is asked, from the samples that its decorators were given.

A parameter whose sample is a list of numbers or texts is a tensor; one value is a tensor of one; a table of records,
where it is the only parameter, is a tensor for each of its columns. Nothing else has a form as tensors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import oip
from .messages import Refused


class Parameters:
    """The parameters of one script. `example` has a sample of each."""

    def __init__(self, example: dict[str, Any]) -> None:
        self._scalars = [name for name, value in example.items() if not isinstance(value, (list, dict))]
        self._table: dict[str, Any] = {}  # a sample row of the only parameter
        if len(example) == 1:
            (self._only, rows) = next(iter(example.items()))
            if isinstance(rows, list) and rows and isinstance(rows[0], dict):
                self._table = rows[0]
        found = [_described(name, [value]) for name, value in self._table.items()]
        found = found or [_described(name, value) for name, value in example.items()]
        told = [described for described in found if described is not None]
        self.inputs = told if len(told) == len(found) else []

    def values(self, tensors: dict[str, Any]) -> dict[str, Any]:
        """What the parameters get of tensors. Raises: Refused where the columns of a table are of several lengths."""
        if self._table and tensors.keys() == self._table.keys():
            if len({len(column) for column in tensors.values()}) != 1:
                raise Refused(400, "The tensors of a table's columns must all have the same length.")
            return {self._only: [dict(zip(tensors, row)) for row in zip(*tensors.values())]}
        return {name: value[0] if self._is_one(name, value) else value for name, value in tensors.items()}

    def _is_one(self, name: str, value: list[Any]) -> bool:
        return name in self._scalars and len(value) == 1


def _described(name: str, sample: Any) -> oip.Described | None:
    """The tensor for a value like the sample; None where there is none."""
    kinds = set(map(type, _leaves(sample)))
    datatype = next((datatype for types, datatype in _DATATYPES if kinds and kinds <= types), None)
    if datatype is None:
        return None
    return oip.Described(name, datatype, [-1, *_shape(sample)[1:]] if isinstance(sample, list) else [1])


_DATATYPES: tuple[tuple[set[type], str], ...] = (
    ({bool}, "BOOL"),
    ({int}, "INT64"),
    ({int, float}, "FP64"),
    ({str}, "BYTES"),
)


def _leaves(sample: Any) -> Iterator[Any]:
    if isinstance(sample, list):
        for item in sample:
            yield from _leaves(item)
    else:
        yield sample


def _shape(sample: Any) -> list[int]:
    return [len(sample), *_shape(sample[0])] if isinstance(sample, list) and sample else []
