"""Displacement: a bar, or a short run of bars of one colour, that covers ground with its body."""

from __future__ import annotations

from collections import deque
from typing import Final, final

LONG_AGO: Final = -(2**62)


@final
class DisplacementMeter:
    """Measures bodies against the plain mean of the true ranges of the bars before.

    The run counts its newest bars first: the bar alone, then with the bar before, up to `run_bars` of one colour.
    Bodies and ranges of the counted bars are summed, and both limits hold for the sums.
    """

    __slots__ = ("atr_bars", "bearish_bar", "body_share", "bullish_bar", "enough", "run", "run_side", "true_ranges")

    def __init__(self, *, atr_bars: int, body_atr: float, body_share: float, run_bars: int) -> None:
        # The body has to reach body_atr x sum / atr_bars; the factor is taken once.
        self.enough = body_atr / atr_bars
        self.atr_bars = atr_bars
        self.body_share = body_share
        self.true_ranges: deque[float] = deque(maxlen=atr_bars)
        self.run: deque[tuple[float, float]] = deque(maxlen=run_bars)
        self.run_side = 0
        self.bullish_bar = LONG_AGO
        self.bearish_bar = LONG_AGO

    def measure(self, bar: int, body: float, covered: float, true_range: float) -> int:
        """The side of the displacement that `bar` completes, or 0. `body` is close less open, `covered` its range."""
        side = 0
        if body > 0:
            side = 1
        elif body < 0:
            side = -1
            body = -body
        run = self.run
        if side != self.run_side:
            run.clear()
            self.run_side = side
        run.append((body, covered))
        ranges = self.true_ranges
        found = 0
        if side and len(ranges) == self.atr_bars:
            share, enough = self.body_share, 0.0
            body = covered = 0.0
            for one_body, one_range in reversed(run):
                body += one_body
                covered += one_range
                if body >= share * covered:
                    # Summed afresh, and only when it matters: finite memory keeps a window recompute exact.
                    enough = enough or self.enough * sum(ranges)
                    if body >= enough:
                        found = side
                        break
        ranges.append(true_range)
        if found > 0:
            self.bullish_bar = bar
        elif found < 0:
            self.bearish_bar = bar
        return found

    def sides(self, before: int) -> int:
        """The sides of the displacements that ended after bar `before`, as bits: 1 bullish, 2 bearish."""
        return (1 if self.bullish_bar > before else 0) | (2 if self.bearish_bar > before else 0)
