"""What an estimator says about its input, for those that read rows and those that describe them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

KEYS = ("data", "input_data", "dataframe_split", "dataframe_records", "instances", "inputs")
"""The members of a body that may hold the rows."""


class Schema(NamedTuple):
    """A model's input: how many columns, their names where it was fitted with names, and what may stand in them."""

    width: int | None
    names: Sequence[str] | None
    texts: bool = True
    missing: bool = True
