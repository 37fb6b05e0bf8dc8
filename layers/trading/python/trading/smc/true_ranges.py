"""The true ranges of bars, and the plain means of those before a bar, summed afresh."""

from __future__ import annotations


class TrueRanges:
    """Plain means over some bars: finite memory keeps a recompute of a window exact.

    The reader appends to `ranges`, which begin with bar `first`, and may be some bars ahead of who asks.
    """

    __slots__ = ("first", "longest", "ranges")

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.first = 0
        self.ranges: list[float] = []

    def mean(self, bars: int, before: int) -> float:
        """The mean of the last `bars` true ranges before bar `before`, or below 0 while there are fewer."""
        end = before - self.first
        if end < bars:
            return -1.0
        return sum(self.ranges[end - bars : end]) / bars

    def trim(self, before: int) -> None:
        """Give up what no mean of bars before `before` or later needs."""
        surplus = before - self.first - self.longest
        if surplus > 0:
            del self.ranges[:surplus]
            self.first += surplus
