"""Recorded events, read again: an apply's JSON lines as the events that were written, for every view to tell anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from mlplan.address import parse_address
from mlplan.diagnostics import Diagnostic, Label
from mlplan.events import Event
from mlplan.source import Span
from mlplan.views.events_json import TYPES


def event_from_json(read: Mapping[str, Any]) -> Event | None:
    """The event of a line; None for the line with the version."""
    if read["type"] == "version":
        return None
    made = TYPES[read["type"]]
    values = {field.name: read[field.name] for field in dataclasses.fields(made)}
    if "address" in values:
        values["address"] = parse_address(values["address"])
    if "log_tail" in values:
        values["log_tail"] = tuple(values["log_tail"])
    if "diagnostic" in values:
        values["diagnostic"] = _diagnostic_from_json(values["diagnostic"])
    event: Event = made(**values)
    return event


def _diagnostic_from_json(read: Mapping[str, Any]) -> Diagnostic:
    labels = []
    if "range" in read:
        labels = [Label(_span(read["range"]), read["snippet"]["text"])]
        labels += [Label(_span(other["range"]), other["text"]) for other in read["related"]]
    address = parse_address(read["address"]) if read["address"] else None
    return Diagnostic(
        read["code"], read["severity"], read["summary"], read["detail"], read["hint"], tuple(labels), address
    )


def _span(read: Mapping[str, Any]) -> Span:
    start, end = read["start"], read["end"]
    return Span(read["filename"], start["line"], start["column"], end["line"], end["column"])
