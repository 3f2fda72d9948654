"""Writes what a script reports, and merges it. Standard library alone, Python 3.9 or newer.

A record is a line of JSON in `outputs/metrics.jsonl`: a name, and one of

    {"name": "loss", "value": 0.3}                  a value; several of one name are a series
    {"name": "loss", "list": [0.3, 0.2]}            several values of a series at once
    {"name": "fold", "row": {"k": 1, "auc": 0.9}}   a row of a table
    {"name": "fold", "table": {"k": [1, 2]}}        columns of a table

Only appended to, one write a record, under a lock: any number of threads and processes may report at once, and what
was reported before a crash is there. `outputs/metrics.json` stays the script's own.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Iterable, Iterator
from typing import Any

FILE = "metrics.jsonl"


def log_metric(name: str, value: Any) -> None:
    """Reports a metric of this run. The same name again makes a series, a list in the order of the calls.

    Numbers, texts, booleans and None, and lists and dicts of them; NumPy's numbers and arrays as well. NaN and
    infinity are kept as the texts "NaN", "Infinity" and "-Infinity". Outside of a run it prints the metric.
    Raises: TypeError for a value that is none of these, or a name that is no text.
    """
    report(name, "value", value)


def report(name: str, kind: str, value: Any) -> None:
    """Appends one record; `kind` is "value", "list", "row" or "table"."""
    if not isinstance(name, str) or not name:
        raise TypeError(f"a metric's name is a text, not {name!r}")
    line = json.dumps({"name": name, kind: plain(value)}, allow_nan=False)
    outputs = outputs_folder()
    if outputs is None:
        print(f"{name}: {json.dumps(plain(value))}", flush=True)
        return
    os.makedirs(outputs, exist_ok=True)
    handle = os.open(os.path.join(outputs, FILE), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        with contextlib.suppress(ImportError, OSError):  # not everywhere; appending is nearly always whole without it
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        data = line.encode() + b"\n"
        while data:
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)


def outputs_folder() -> str | None:
    """Where this run's outputs go, or None outside of a run."""
    return os.environ.get("MLPLAN_OUTPUTS")


def plain(value: Any) -> Any:
    """The value as JSON can hold it. Raises: TypeError where it can't."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return text_of(value) if math.isnan(value) or math.isinf(value) else float(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's arrays and numbers, and what is like them
        return plain(value.tolist())
    if hasattr(value, "item"):
        return plain(value.item())
    raise TypeError(f"a metric can't hold a {type(value).__name__}: {value!r}")


def text_of(number: float) -> str:
    """The text that stands for a number that JSON doesn't have."""
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def merge(records: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The metrics by name: a value reported once as it is, a series as a list, a table as lists by column.

    Raises: KeyError, TypeError or AttributeError for what is no record.
    """
    series: dict[str, list[Any]] = {}
    scalars: dict[str, bool] = {}
    tables: dict[str, dict[str, list[Any]]] = {}
    for record in records:
        name = record["name"]
        if "row" in record or "table" in record:
            columns = record["table"] if "table" in record else {k: [v] for k, v in record["row"].items()}
            table = tables.setdefault(name, {})
            for column, values in columns.items():
                table.setdefault(column, []).extend(values)
            continue
        single = "value" in record
        scalars[name] = single and name not in series
        series.setdefault(name, []).extend([record["value"]] if single else record["list"])
    merged: dict[str, Any] = {name: values[0] if scalars[name] else values for name, values in series.items()}
    merged.update(tables)
    return merged


def read_records(path: str) -> Iterator[dict[str, Any]]:
    """The records of a file, none where there is no file. Raises: ValueError that names the line."""
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                record = json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number} is no JSON: {error}") from None
            if not isinstance(record, dict) or "name" not in record:
                raise ValueError(f"line {number} is no record of a metric")
            yield record
