"""Exponential average with a stated memory."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan


def exponential_average(values: Sequence[float], *, span: int, history: int) -> float:
    """EMA of the last value, smoothing 2 / (span + 1), from exactly the last `history` values, or all if fewer.

    Seeded with the plain mean of the first `span` of them; NaN when there are fewer than `span`.
    """
    if not 1 <= span <= history:
        raise ValueError(f"EMA of span {span} over {history} values, expected 1 <= span <= history")
    used = values[-history:]
    if len(used) < span:
        return nan
    average = sum(used[:span]) / span
    factor = 2.0 / (span + 1)
    for value in used[span:]:
        average += factor * (value - average)
    return average
