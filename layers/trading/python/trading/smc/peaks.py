"""The prices of the bars that can still be asked about, and the highest of any stretch of them.

They may be some bars ahead of who asks, so each question says before which bar it ends. The low side keeps negated
lows, so that one code serves both. A question looks at the bars of one leg; legs of a side follow one another, so that
asking costs O(1) per bar on the whole.
"""

from __future__ import annotations

from bisect import bisect_left

from trading.smc.events import NO_KEY, EventKey


class Peaks:
    """The signed highs of all bars from `first` on, and the sweeps of pools, oldest first."""

    __slots__ = ("first", "sweeps", "values")

    def __init__(self) -> None:
        self.first = 0
        self.values: list[float] = []
        self.sweeps: list[EventKey] = []

    def highest_after(self, bar: int, end: int) -> float:
        """The highest value of the bars after `bar` and before `end`, of which there must be one."""
        return max(self.values[bar + 1 - self.first : end - self.first])

    def after(self, bar: int, end: int) -> tuple[int, float]:
        """The highest value of the bars after `bar` and before `end` (at least one), and the last bar that has it."""
        values = self.values[bar + 1 - self.first : end - self.first]
        value = max(values)
        values.reverse()
        return end - 1 - values.index(value), value

    def swept_after(self, bar: int, end: int) -> EventKey:
        """The last sweep that happened at the highest of the bars after `bar` and before `end`, or NO_KEY."""
        values = self.values[bar + 1 - self.first : end - self.first]
        if not values:
            return NO_KEY
        value = max(values)
        for sweep in reversed(self.sweeps):
            if sweep[3] <= bar:
                break
            if self.values[sweep[3] - self.first] == value:
                return sweep
        return NO_KEY

    def forget_before(self, bar: int) -> None:
        """Give up the bars before `bar`."""
        if bar > self.first:
            del self.values[: bar - self.first]
            self.first = bar
            known = [sweep[3] for sweep in self.sweeps]
            del self.sweeps[: bisect_left(known, bar)]
