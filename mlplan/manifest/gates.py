"""Reads the gates of a model: `accuracy >= 0.9`, `accuracy >= deployed.accuracy - 0.01`."""

from __future__ import annotations

import operator
import re
from typing import NamedTuple

_COMPARE = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_METRIC = r"[A-Za-z_][\w./-]*?"
_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_GATE = re.compile(
    rf"\s*({_METRIC})\s*(>=|<=|==|!=|>|<)\s*"
    rf"(?:({_NUMBER})|deployed\.({_METRIC})(?:\s*([-+])\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+))?)\s*"
)


class Gate(NamedTuple):
    """One condition over a run's metrics."""

    metric: str
    compare: str  # one of >= <= > < == !=
    deployed: str  # the metric of the version in service that `number` is added to; "" for none
    number: float

    def holds(self, value: float, deployed: float = 0.0) -> bool:
        """Whether `value` meets it; `deployed` is the metric of the version in service."""
        return bool(_COMPARE[self.compare](value, self.bound(deployed)))

    def bound(self, deployed: float = 0.0) -> float:
        """What the metric is compared with."""
        return deployed + self.number if self.deployed else self.number


def parse_gate(text: str) -> Gate | None:
    """The gate that `text` spells, or None where it spells none."""
    match = _GATE.fullmatch(text)
    if match is None:
        return None
    metric, compare, number, deployed, sign, offset = match.groups()
    return Gate(metric, compare, deployed or "", float(number or (sign or "") + (offset or "0")))
