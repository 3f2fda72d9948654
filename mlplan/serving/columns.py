"""What an estimator's columns hold, for those that tell clients: found in its parts, and tried.

Numbers and texts are told apart by what the fitted parts know: categories, vocabularies, replacements for what is
missing. A row made of that is asked. Where the model doesn't take it, the columns that no part says anything of are
tried as numbers and as texts; null is tried in each place.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any, Callable

import numpy as np

from .schema import Column, Schema

_NUMBER, _TEXT = 0.5, "a"
_BUDGET_S = 0.1  # so long columns are asked one by one whether they take null: a service has to start

Takes = Callable[[Sequence[Any]], bool]
"""Whether the model takes a row."""


def study(fitted: Any, schema: Schema, takes: Takes) -> list[Column]:
    """The columns of a model that takes rows, in its order; where it takes no row that we can think of, as known."""
    width = schema.width or 0
    names = list(schema.names) if schema.names is not None else [str(place) for place in range(width)]
    known: list[Any] = [None] * width
    with contextlib.suppress(Exception):  # parts that aren't scikit-learn's may mean something else by these names
        for place, value in _known(fitted, names, range(width)):
            known[place] = value
    as_numbers, as_texts = ([_or(value, default) for value in known] for default in (_NUMBER, _TEXT))
    row = next((row for row in (as_numbers, as_texts, [_NUMBER] * width, [_TEXT] * width) if takes(row)), None)
    nulls = [False] * width if row is None else _nulls(row, takes)
    row = row or as_texts
    return [Column(name, isinstance(row[place], str), row[place], nulls[place]) for place, name in enumerate(names)]


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _nulls(row: Sequence[Any], takes: Takes) -> list[bool]:
    """Which places may be null."""
    if takes([None] * len(row)):
        return [True] * len(row)
    numbers = [not isinstance(value, str) for value in row]
    if takes([value if isinstance(value, str) else None for value in row]):
        return numbers
    until = perf_counter() + _BUDGET_S
    return [perf_counter() < until and takes([*row[:place], None, *row[place + 1 :]]) for place in range(len(row))]


def _known(part: Any, names: Sequence[str], places: Sequence[int]) -> Iterator[tuple[int, Any]]:
    """Places whose values a fitted part knows, each with one that it takes. `places` are those that the part gets."""
    for values, count in ((getattr(part, "categories_", None), 0), (getattr(part, "statistics_", None), 1)):
        if values is not None and len(values) == len(places):
            yield from zip(places, (_value([each] if count else each) for each in values))
            return
    if hasattr(part, "vocabulary_") and len(places) == 1:
        yield places[0], next(iter(part.vocabulary_), _TEXT)
    elif hasattr(part, "transformers_"):
        for _, inner, chosen in part.transformers_:
            yield from _known(inner, names, [places[place] for place in _places(chosen, [names[p] for p in places])])
    elif hasattr(part, "transformer_list"):
        for _, inner in part.transformer_list:
            yield from _known(inner, names, places)
    elif hasattr(part, "steps"):
        steps = [step for _, step in part.steps if step not in (None, "passthrough")]
        yield from _known(steps[0], names, places) if steps else ()
    else:
        for name in ("best_estimator_", "estimator_"):
            if hasattr(part, name):
                yield from _known(getattr(part, name), names, places)


def _value(known: Any) -> Any:
    """A value out of those that are known; None where they say nothing."""
    for value in known:
        if isinstance(value, str):
            return str(value)
        if isinstance(value, (bool, int, float, np.number, np.bool_)) and value == value:
            return float(value)
    return None


def _places(chosen: Any, names: Sequence[str]) -> list[int]:
    """The places that a choice of columns means: names, numbers, a slice, or whether each is chosen."""
    if isinstance(chosen, slice):
        first, last = (names.index(e) if isinstance(e, str) else e for e in (chosen.start, chosen.stop))
        ends_with = isinstance(chosen.stop, str)  # a slice by names goes up to its end and has it
        return list(range(len(names)))[first : last + 1 if ends_with else last : chosen.step]
    listed = [chosen] if isinstance(chosen, (str, int)) else list(chosen)
    if listed and isinstance(listed[0], (bool, np.bool_)):
        return [place for place, is_chosen in enumerate(listed) if is_chosen]
    places = [names.index(each) if isinstance(each, str) else int(each) for each in listed]
    return [place % len(names) for place in places]
