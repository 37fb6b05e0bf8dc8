"""What became of an idea on the 15m bars after it: whether its entry filled, how the position ended, in R.

A model on bars, not a backtest of the venue. Wherever a bar leaves the order of prices open, the worse one is taken:

- The entry rests at its level, so it fills only when a bar trades *through* the level, and then at the level. If the
  price is beyond the level when the order is sent, a resting order is refused (`CROSSED`), as the venue refuses it.
- Within one bar the stop comes before every target. In the bar of the fill no target counts.
- The stop fills when it is touched, at its price, or at the bar's open where the price jumped over it.
- A target fills when a bar trades through it, at its price.

Short ideas are followed on negated prices, so that there is one set of rules.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from trading.model.candles import CandleSeries
from trading.model.signals import Levels
from trading.model.times import Timeframe
from trading.model.units import BasisPoints
from trading.rules import Rules

QUARTER = Timeframe.M15.seconds

Bar = tuple[int, float, float, float, float]
"""Open time (seconds since 1970), open, high, low, close; negated and swapped for a short."""


class Fate(StrEnum):
    """How an entry ended. `UNKNOWN`: the record ends before the entry's life does."""

    FILLED = "filled"
    CROSSED = "crossed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Ending(StrEnum):
    """What closed the last part of a position. `UNKNOWN`: the record ends before."""

    STOP = "stop"
    BREAK_EVEN = "break_even"
    TARGETS = "targets"
    PREMISE = "premise"
    TIME_EXIT = "time_exit"
    MAXIMUM_HOLD = "maximum_hold"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Management:
    """Which exits a position has beside its stop and its targets."""

    time_exit: bool
    maximum_hold: bool
    premise: bool
    break_even: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Numbers of the rules that say how an idea is followed; lengths in seconds, shares of the position."""

    entry_life: int
    time_exit: int
    maximum_hold: int
    shares: tuple[float, float]

    @classmethod
    def of(cls, rules: Rules) -> Terms:
        return cls(
            entry_life=rules.execution.entry_life_bars * QUARTER,
            time_exit=rules.exits.time_exit_bars * QUARTER,
            maximum_hold=int(rules.exits.maximum_hold_hours * 3_600),
            shares=(float(rules.levels.target_1_share), float(rules.levels.target_2_share)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """Levels as for a long (a short's are negated), decided at `decided_at` (seconds since 1970)."""

    decided_at: int
    sign: int
    entry: float
    stop: float
    invalidation: float
    targets: tuple[float, float]
    break_even: float

    @classmethod
    def of(cls, levels: Levels, decided_at: int, cost: BasisPoints, extra: float) -> Idea:
        """`cost` of the round trip and `extra` USD lie between the entry and the break-even stop."""
        sign = levels.side.sign
        entry = float(levels.entry)
        return cls(
            decided_at=decided_at,
            sign=sign,
            entry=sign * entry,
            stop=sign * float(levels.stop),
            invalidation=sign * float(levels.invalidation),
            targets=(sign * float(levels.target_1), sign * float(levels.target_2)),
            break_even=sign * entry + float(cost.of(levels.entry)) + extra,
        )

    @property
    def risk(self) -> float:
        """One R in USD."""
        return self.entry - self.stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """`gross`: R without any cost, 0 where it is unknown; `bars`: 15m bars from the fill to the end, both counted."""

    ending: Ending
    gross: float
    bars: int


def follow_entry(idea: Idea, bars: CandleSeries, terms: Terms) -> tuple[Fate, int]:
    """(How the entry ended, position in `bars` of the bar it filled in or would have been refused in)."""
    first = bisect_left(bars.times, idea.decided_at)
    expires = idea.decided_at + terms.entry_life
    for number, (time, opened, _, low, close) in enumerate(_bars_from(bars, first, idea.sign)):
        if time >= expires:
            break
        if number == 0 and opened < idea.entry:
            return Fate.CROSSED, first
        if low < idea.entry:
            return Fate.FILLED, first + number
        if close < idea.invalidation:
            return Fate.CANCELLED, first + number
    recorded = bool(bars.times) and bars.times[-1] + QUARTER >= expires
    return (Fate.EXPIRED if recorded else Fate.UNKNOWN), first


def follow_position(idea: Idea, bars: CandleSeries, filled: int, terms: Terms, given: Management) -> Closed:
    """The position that opened at the entry's level in bar number `filled`, until its last part is closed."""
    held = _Held(idea, terms, given, opened_at=bars.times[filled] + QUARTER)
    count = 0
    for count, bar in enumerate(_bars_from(bars, filled, idea.sign), start=1):
        ending = held.live_through(bar, fresh=count == 1)
        if ending is not None:
            return Closed(ending=ending, gross=held.banked, bars=count)
    return Closed(ending=Ending.UNKNOWN, gross=0.0, bars=count)


class _Held:
    """A position while it is open. `banked` is the R of what is closed."""

    __slots__ = ("banked", "given", "idea", "left", "opened_at", "reached", "stop", "terms")

    def __init__(self, idea: Idea, terms: Terms, given: Management, opened_at: int) -> None:
        self.idea, self.terms, self.given, self.opened_at = idea, terms, given, opened_at
        self.left, self.banked, self.stop, self.reached = 1.0, 0.0, idea.stop, 0

    def live_through(self, bar: Bar, *, fresh: bool) -> Ending | None:
        """What ended the position in this bar; `fresh` is the bar of the fill."""
        time, opened, high, low, close = bar
        if low <= self.stop:
            moved = self.stop > self.idea.stop
            self._leave(self.left, self.stop if fresh else min(self.stop, opened))
            return Ending.BREAK_EVEN if moved else Ending.STOP
        if not fresh:
            self._take_targets(high)
        if self.left <= 1e-9:
            return Ending.TARGETS
        ending = self._due(time + QUARTER - self.opened_at, close)
        if ending is not None:
            self._leave(self.left, close)
        elif self.given.break_even and self.reached and close > self.idea.break_even:
            self.stop = max(self.stop, self.idea.break_even)
        return ending

    def _take_targets(self, high: float) -> None:
        while self.reached < len(self.idea.targets) and high > self.idea.targets[self.reached]:
            self._leave(self.terms.shares[self.reached], self.idea.targets[self.reached])
            self.reached += 1

    def _due(self, age: int, close: float) -> Ending | None:
        """An exit at the bar's close; the position is `age` seconds old."""
        if self.given.premise and close < self.idea.invalidation:
            return Ending.PREMISE
        if self.given.time_exit and not self.reached and age >= self.terms.time_exit:
            return Ending.TIME_EXIT
        if self.given.maximum_hold and age >= self.terms.maximum_hold:
            return Ending.MAXIMUM_HOLD
        return None

    def _leave(self, share: float, price: float) -> None:
        self.left -= share
        self.banked += share * (price - self.idea.entry) / self.idea.risk


def _bars_from(bars: CandleSeries, first: int, sign: int) -> Iterator[Bar]:
    """The bars from number `first` on, as a long sees them."""
    for index in range(first, len(bars.times)):
        if sign > 0:
            yield bars.times[index], bars.opens[index], bars.highs[index], bars.lows[index], bars.closes[index]
        else:
            yield bars.times[index], -bars.opens[index], -bars.lows[index], -bars.highs[index], -bars.closes[index]
