"""Where a price stands on a leg."""

from __future__ import annotations


def retracement(start: float, end: float, price: float) -> float:
    """How much of the leg from `start` to `end` the price has given back, measured from `end`, the right end.

    0 at the end of the leg, 1 at its start, for rising and falling legs alike; below 0 or above 1 outside.
    """
    if start == end:
        raise ValueError(f"a leg from {start} to {end} has no length, expected two different prices")
    return (end - price) / (end - start)
