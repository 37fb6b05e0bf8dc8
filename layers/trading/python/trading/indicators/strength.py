"""Wilder's average directional index (New Concepts in Technical Trading Systems, 1978) with a stated memory."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan


def directional_index(
    highs: Sequence[float], lows: Sequence[float], closes: Sequence[float], *, bars: int, history: int
) -> float:
    """ADX, 0 to 100, from exactly the last `history` bars, or all if fewer; NaN with fewer than 2 x `bars`.

    Wilder's smoothing of true range and directional movement, and of DX, each seeded with the plain mean of its first
    `bars` values. A bar that moved nowhere in the whole memory gives DX 0.
    """
    if bars < 1 or history < 2 * bars:
        raise ValueError(f"ADX over {bars} bars from {history}, expected a history of at least {2 * bars}")
    steps = _steps(highs[-history:], lows[-history:], closes[-history:])
    if len(steps) < 2 * bars - 1:
        return nan
    span = float(bars)
    mean_range = sum(step[0] for step in steps[:bars]) / span
    mean_up = sum(step[1] for step in steps[:bars]) / span
    mean_down = sum(step[2] for step in steps[:bars]) / span
    indexes = [_index(mean_range, mean_up, mean_down)]
    for true_range, up, down in steps[bars:]:
        mean_range += (true_range - mean_range) / span
        mean_up += (up - mean_up) / span
        mean_down += (down - mean_down) / span
        indexes.append(_index(mean_range, mean_up, mean_down))
    average = sum(indexes[:bars]) / span
    for index in indexes[bars:]:
        average += (index - average) / span
    return average


def _steps(highs: Sequence[float], lows: Sequence[float], closes: Sequence[float]) -> list[tuple[float, float, float]]:
    """(true range, +DM, -DM) of every bar but the first."""
    steps = []
    for at in range(1, len(closes)):
        high, low, last = highs[at], lows[at], closes[at - 1]
        up, down = high - highs[at - 1], lows[at - 1] - low
        true_range = (high if high > last else last) - (low if low < last else last)
        steps.append((true_range, up if up > down and up > 0 else 0.0, down if down > up and down > 0 else 0.0))
    return steps


def _index(mean_range: float, mean_up: float, mean_down: float) -> float:
    total = mean_up + mean_down
    if mean_range == 0 or total == 0:
        return 0.0
    return 100.0 * abs(mean_up - mean_down) / total
