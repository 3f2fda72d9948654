"""What an estimator says about its input, for those that read rows and those that describe them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

KEYS = ("data", "input_data", "dataframe_split", "dataframe_records", "instances", "inputs")
"""The members of a body that may hold the rows."""


class Schema(NamedTuple):
    """A model's input: how many columns, their names where it was fitted with names, and what may stand in them."""

    width: int | None
    names: Sequence[str] | None
    texts: bool = True


class Column(NamedTuple):
    """One column of rows, as clients are told of it."""

    name: str  # its number from 0, where the model was fitted without names
    is_text: bool  # else it holds numbers
    example: Any
    takes_null: bool
