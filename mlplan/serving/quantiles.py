"""Quantiles of what is counted in buckets: in the service's own cells, or as `/metrics` tells it."""

from __future__ import annotations

from collections.abc import Sequence


def quantile(counts: Sequence[float], bounds: Sequence[float], share: float) -> float:
    """Below which value this share lies, interpolated within its bucket; 0 where nothing was counted.

    `counts` has one bucket more than there are upper bounds: what lies above all of them.
    """
    wanted = share * sum(counts)
    seen = 0.0
    for place, count in enumerate(counts):
        if count and seen + count >= wanted:
            low = bounds[place - 1] if place else 0.0
            high = bounds[place] if place < len(bounds) else low
            return low + (high - low) * (wanted - seen) / count
        seen += count
    return 0.0
