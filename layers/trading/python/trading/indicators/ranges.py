"""True range and its plain mean."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan


def true_ranges(highs: Sequence[float], lows: Sequence[float], closes: Sequence[float]) -> list[float]:
    """The true range of every bar but the first, which has no close before it: one value less than bars."""
    return [
        (high if high > last else last) - (low if low < last else last)
        for high, low, last in zip(highs[1:], lows[1:], closes, strict=False)
    ]


def average_true_range(ranges: Sequence[float], bars: int) -> float:
    """The plain mean of the last `bars` true ranges, summed afresh (not Wilder's recursion); NaN if there are fewer."""
    if bars < 1:
        raise ValueError(f"ATR over {bars} bars, expected at least 1")
    if len(ranges) < bars:
        return nan
    return sum(ranges[-bars:]) / bars
