"""Indicators against hand figures, a second formula, and their stated memory."""

from __future__ import annotations

import math
import random

import pytest

from trading.indicators import (
    average_true_range,
    directional_index,
    exponential_average,
    retracement,
    true_ranges,
)


def _columns(seed: int, count: int) -> tuple[list[float], list[float], list[float]]:
    generator = random.Random(seed)
    closes = [100.0]
    for _ in range(count - 1):
        closes.append(closes[-1] * math.exp(generator.gauss(0.0, 0.01)))
    highs = [close * (1 + abs(generator.gauss(0.0, 0.005))) for close in closes]
    lows = [close * (1 - abs(generator.gauss(0.0, 0.005))) for close in closes]
    return highs, lows, closes


def test_true_range_counts_the_gap_from_the_last_close() -> None:
    assert true_ranges([11, 14, 9], [9, 13, 8], [10, 13, 8.5]) == [4, 5]


def test_average_true_range_is_a_plain_mean() -> None:
    assert average_true_range([100.0, 1.0, 2.0, 3.0], 3) == 2.0
    assert math.isnan(average_true_range([1.0, 2.0], 3))


def test_average_of_a_constant_is_the_constant() -> None:
    assert exponential_average([7.0] * 500, span=200, history=720) == 7.0


def test_exponential_average_follows_its_seed_and_factor() -> None:
    # seed 2 = mean(1, 2, 3); factor 1/2: then 3, then 4
    assert exponential_average([1.0, 2.0, 3.0, 4.0, 5.0], span=3, history=5) == 4.0
    assert math.isnan(exponential_average([1.0, 2.0], span=3, history=5))


def test_exponential_average_forgets_what_is_older_than_its_history() -> None:
    values = _columns(1, 900)[2]
    expected = exponential_average(values[-720:], span=200, history=720)
    assert exponential_average(values, span=200, history=720) == expected
    assert exponential_average([1e6, *values[-720:]], span=200, history=720) == expected


def test_strength_is_full_in_trends_zero_when_flat() -> None:
    rising = [float(number) for number in range(100)]
    highs, lows = [price + 1 for price in rising], [price - 1 for price in rising]
    assert directional_index(highs, lows, rising, bars=14, history=300) == pytest.approx(100.0)
    flat = [5.0] * 100
    assert directional_index(flat, flat, flat, bars=14, history=300) == 0.0


def test_strength_matches_wilders_sums_on_a_random_walk() -> None:
    highs, lows, closes = _columns(2, 200)
    smoothed, indexes, average = [0.0, 0.0, 0.0], [], 0.0
    for at in range(1, 200):
        up, down = highs[at] - highs[at - 1], lows[at - 1] - lows[at]
        step = (
            max(highs[at] - lows[at], abs(highs[at] - closes[at - 1]), abs(lows[at] - closes[at - 1])),
            up if up > max(down, 0) else 0.0,
            down if down > max(up, 0) else 0.0,
        )
        # Wilder's own form: sums, from which a fourteenth is taken before the new value is added.
        smoothed = [s + new if at <= 14 else s - s / 14 + new for s, new in zip(smoothed, step, strict=True)]
        if at >= 14:
            plus, minus = smoothed[1] / smoothed[0], smoothed[2] / smoothed[0]
            indexes.append(100 * abs(plus - minus) / (plus + minus))
            average = sum(indexes) / 14 if len(indexes) <= 14 else (average * 13 + indexes[-1]) / 14
    assert directional_index(highs, lows, closes, bars=14, history=300) == pytest.approx(average, rel=1e-12)


def test_strength_uses_exactly_its_history() -> None:
    highs, lows, closes = _columns(3, 700)
    last = directional_index(highs[-300:], lows[-300:], closes[-300:], bars=14, history=300)
    assert directional_index(highs, lows, closes, bars=14, history=300) == last
    assert math.isnan(directional_index(highs[:27], lows[:27], closes[:27], bars=14, history=300))
    assert not math.isnan(directional_index(highs[:28], lows[:28], closes[:28], bars=14, history=300))


def test_retracement_is_measured_from_the_right_end() -> None:
    assert retracement(100.0, 200.0, 138.2) == pytest.approx(0.618)
    assert retracement(200.0, 100.0, 161.8) == pytest.approx(0.618)
    assert (retracement(100.0, 200.0, 200.0), retracement(100.0, 200.0, 100.0)) == (0.0, 1.0)


def test_leg_without_length_is_refused() -> None:
    with pytest.raises(ValueError, match="has no length"):
        retracement(5.0, 5.0, 5.0)
