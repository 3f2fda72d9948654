"""How values read, wherever they stand: text, sizes, durations, times, counts and lists, as short plain English.

Knows nothing of plans: what changes are called and why they are made is said in `words.py`. Light on purpose, as a
plan with nothing to do prints from here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from mlplan.json_types import Json

SHORT_DIGEST = 12
"""How much of a digest is shown to a reader; all of it stands in the JSON."""


def value_text(value: Json) -> str:
    """A value on one line, as a user would write it: text bare where nothing is ambiguous, else quoted."""
    if value is None:
        return "none"
    if isinstance(value, str):
        bare = bool(value) and value == value.strip() and value.isprintable() and "->" not in value
        return value if bare else json.dumps(value, ensure_ascii=not value.isprintable())
    return json.dumps(value, ensure_ascii=False)


def printable(text: str) -> str:
    """The text with control characters spelt out, so that a file's name can't steer a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shortened(text: str, length: int) -> str:
    """The text, or its two ends around an ellipsis where it has more than `length` characters."""
    if len(text) <= length:
        return text
    tail = length // 3
    return f"{text[: length - tail - 1]}…{text[-tail:]}"


def size_text(size: int) -> str:
    """Bytes in decimal units: `812 B`, `12 kB`, `1.2 GB`."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 999.5 or unit == "TB":
            return f"{amount:.1f} {unit}" if unit != "B" and amount < 9.95 else f"{amount:.0f} {unit}"
        amount /= 1000
    raise AssertionError("unreachable")


def duration_text(seconds: float) -> str:
    """A duration to two units: `0.3 s`, `12 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    for size, unit, below, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {unit} {rest} {small}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def time_text(time: str, now: float | None = None) -> str:
    """A recorded time as `2026-03-01 12:00:01 UTC`; with `now` (seconds since 1970), and how long ago that was."""
    moment = _moment(time)
    if moment is None:
        return printable(time)
    shown = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{shown} ({_ago_text(now - moment.timestamp())})" if now is not None else shown


def age_text(time: str, now: float | None) -> str:
    """How long ago a recorded time was at `now` (seconds since 1970), for a column; without `now`, the time."""
    moment = _moment(time)
    return time_text(time) if moment is None or now is None else _ago_text(now - moment.timestamp())


def _moment(time: str) -> datetime | None:
    from datetime import datetime, timezone

    try:
        return datetime.fromisoformat(time.replace("Z", "+00:00")).astimezone(timezone.utc)
    except ValueError:
        return None


def _ago_text(seconds: float) -> str:
    if seconds < 2:
        return "just now"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"


def metrics_text(metrics: Json, most: int | None = None) -> str:
    """`accuracy 0.9185, loss 0.31, 3 more`: single numbers by name, all of them or the first few."""
    if not isinstance(metrics, Mapping):
        return ""
    numbers = [
        f"{printable(name)} {value if isinstance(value, int) else format(value, '.4g')}"
        for name, value in sorted(metrics.items())
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    kept = numbers[:most]
    return ", ".join([*kept, f"{len(numbers) - len(kept)} more"] if len(kept) < len(numbers) else kept)


def counted(count: int, noun: str) -> str:
    """`1 change`, `2 changes`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; with `last="or"`, `a, b or c`."""
    every = list(words)
    return f" {last} ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)
