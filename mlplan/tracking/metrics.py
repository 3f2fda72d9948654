"""Reads what a run reported."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping

from mlplan.codes import target as codes
from mlplan.errors import Refusal
from mlplan.json_types import Json, canonical
from mlplan.tracking.shim._mlplan_tracking import FILE, merge, read_records

OWN_FILE = "metrics.json"


def read_metrics(outputs: str) -> Mapping[str, Json]:
    """The metrics in a run's outputs folder, by name: what it logged, and over that what its own metrics.json says.

    A metric logged several times is a list, a table a mapping of columns. NaN and infinity are texts.
    Raises: Refusal (MLP8006) for a file that can't be read as metrics.
    """
    return {**_logged(os.path.join(outputs, FILE)), **_own(os.path.join(outputs, OWN_FILE))}


def _logged(path: str) -> dict[str, Json]:
    try:
        logged: dict[str, Json] = merge(read_records(path))
        canonical(logged)  # half a character, as "\\ud800" is one, can't be recorded
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refusal(FILE, str(error)) from error
    return logged


def _own(path: str) -> dict[str, Json]:
    try:
        with open(path, encoding="utf-8") as stream:
            value = json.load(stream, parse_constant=str, parse_float=_number)
        canonical(value)  # as above
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _refusal(OWN_FILE, str(error)) from error
    if not isinstance(value, dict):
        raise _refusal(OWN_FILE, f"it holds a {type(value).__name__}, not an object of names and values")
    return value


def _number(text: str) -> float | str:
    """A number as it is written; what is too large for one counts as infinity does."""
    value = float(text)
    return value if math.isfinite(value) else text


def _refusal(file: str, reason: str) -> Refusal:
    hint = "Write it with `json.dump` of a dict, or report with\n    mlplan.log_metric(name, value)"
    return Refusal([codes.MLP8006.diagnostic(f"The metrics in outputs/{file} can't be read: {reason}.", hint=hint)])
