"""Highs and lows of days and weeks (UTC, Monday first, as exchanges close them) and of the New York sessions.

A level is known at the first bar after its period closed. A period whose beginning was not seen gives none. Prices are
looked at when a period begins or ends: those of the segment since the last change are folded into the running periods.
"""

from __future__ import annotations

from typing import Final

from trading.smc.civil_time import DAY_SECONDS, Opening, WindowClock
from trading.smc.events import BEARISH, BULLISH, DAY, PERIOD_LEVEL, WEEK, RawEvent
from trading.smc.peaks import Peaks
from trading.smc.pools import LiquidityPools
from trading.smc.watch import FAR_AWAY, NEVER, NO_EXPIRY

# 1 January 1970 was a Thursday.
DAYS_SINCE_MONDAY: Final = 3
# Highest price and its bar, lowest price and its bar.
Segment = tuple[float, int, float, int]
NOTHING: Final[Segment] = (NEVER, 0, FAR_AWAY, 0)


class Period:
    """One running day, week or session and its extremes, of equals the earlier bar. `whole`: its beginning was seen."""

    __slots__ = ("high", "high_bar", "low", "low_bar", "opening", "whole")

    def __init__(self, opening: Opening, whole: bool) -> None:
        self.opening = opening
        self.whole = whole
        self.high = NEVER
        self.low = FAR_AWAY
        self.high_bar = 0
        self.low_bar = 0

    def fold(self, segment: Segment) -> None:
        """Take in the segment that just ended."""
        high, high_bar, low, low_bar = segment
        if high > self.high:
            self.high = high
            self.high_bar = high_bar
        if low < self.low:
            self.low = low
            self.low_bar = low_bar


class PeriodLevels:
    """Hands the levels of closed periods to the pools. Which periods count is the caller's choice.

    Nothing happens at a bar that opens before `changes_at`. From bar `settled_at` on (-1 before) every period that was
    running at the first bar is over: levels told later are those that full history would tell. The prices of the bars
    from `begins` on are still needed; `up` and `down` have them.
    """

    __slots__ = (
        "begins",
        "changes_at",
        "clock",
        "codes",
        "down",
        "periods",
        "pools",
        "settled_at",
        "settles_after",
        "up",
    )

    def __init__(self, pools: LiquidityPools, up: Peaks, down: Peaks) -> None:
        self.pools = pools
        self.up = up
        self.down = down
        self.codes: tuple[int, ...] = ()
        self.clock: WindowClock | None = None
        self.periods: list[Period] = []
        self.begins = 0
        self.changes_at = -NO_EXPIRY
        self.settles_after = -NO_EXPIRY
        self.settled_at = -1

    def watch(self, codes: tuple[int, ...], clock: WindowClock | None) -> None:
        """Say which periods count before the first bar; the sessions among them are those of `clock`."""
        self.codes = codes
        self.clock = clock

    def advance(self, bar: int, time: int, events: list[RawEvent]) -> None:
        """Read a bar that opens at or after the change, `time` in seconds since 1970."""
        openings = self._openings(time)
        if bar == 0:
            self.settles_after = time + DAY_SECONDS * (7 if WEEK in self.codes else 1)
        elif self.settled_at < 0 and time >= self.settles_after:
            self.settled_at = bar
        running: dict[Opening, Period] = {}
        if bar > self.begins:
            segment = self._segment(bar) if self.periods else NOTHING
            for period in self.periods:
                period.fold(segment)
                if period.opening in openings:
                    running[period.opening] = period
                else:
                    self._close(period, bar, events)
        self.periods = [running.get(opening) or Period(opening, bar > 0) for opening in openings]
        self.begins = bar

    def _segment(self, end: int) -> Segment:
        highs = self.up.values[self.begins - self.up.first : end - self.up.first]
        lows = self.down.values[self.begins - self.down.first : end - self.down.first]
        high, low = max(highs), max(lows)
        return high, self.begins + highs.index(high), -low, self.begins + lows.index(low)

    def _openings(self, time: int) -> list[Opening]:
        """The periods `time` is in, and when that changes next."""
        openings: list[Opening] = []
        day = time // DAY_SECONDS
        self.changes_at = (day + 1) * DAY_SECONDS
        if DAY in self.codes:
            openings.append((DAY, day))
        if WEEK in self.codes:
            openings.append((WEEK, (day + DAYS_SINCE_MONDAY) // 7))
        if self.clock is not None:
            openings += self.clock.read(time)
            if self.clock.changes_at < self.changes_at:
                self.changes_at = self.clock.changes_at
        return openings

    def _close(self, period: Period, bar: int, events: list[RawEvent]) -> None:
        code = period.opening[0]
        if period.whole:
            high, low, high_bar, low_bar = period.high, period.low, period.high_bar, period.low_bar
            events.append((PERIOD_LEVEL, BEARISH, code, bar, high_bar, high, high, (), 0))
            self.pools.add((PERIOD_LEVEL, BEARISH, code, bar, high_bar), high, events)
            events.append((PERIOD_LEVEL, BULLISH, code, bar, low_bar, low, low, (), 0))
            self.pools.add((PERIOD_LEVEL, BULLISH, code, bar, low_bar), low, events)
