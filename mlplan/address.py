"""Addresses: the stable names of resources, such as `run.train`."""

from __future__ import annotations

import re
from typing import NamedTuple

KINDS = ("compute", "dataset", "run", "model", "inference", "deployment")
"""The six kinds, in the order in which a project reads."""

NAME = re.compile(r"[A-Za-z0-9_-]+")
"""What a resource's name may hold."""


class Address(NamedTuple):
    """`kind.name`: how a resource is known in the manifest, the plan, the state and on the command line."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.name}"


def parse_address(text: str) -> Address | None:
    """The address that `text` spells, or None where it spells none."""
    kind, dot, name = text.partition(".")
    if not dot or kind not in KINDS or not NAME.fullmatch(name):
        return None
    return Address(kind, name)


def sort_key(address: Address) -> tuple[int, str]:
    """Orders addresses as a project reads: by kind, then by name."""
    return KINDS.index(address.kind), address.name
