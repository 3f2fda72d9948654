# ruff: noqa: N999 - the name that scripts import
"""A sample of an input, and its type."""

from __future__ import annotations

from typing import Any


class SampleDefinition:
    """One of them."""

    def __init__(self, input_type: str, sample_to_extract: Any) -> None:
        self.type = input_type
        self.sample = sample_to_extract
