"""Bars of one coin on a fixed 15 minute grid, with the price path through them and folding to other timeframes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from trading.errors import InvalidInput
from trading.matching import candle_waypoints

BAR_SECONDS = 900
BAR = timedelta(seconds=BAR_SECONDS)


class Bar(NamedTuple):
    """One bar. `time` is the open time in epoch seconds, volume in base units, `trades` 0 for a bar without any."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trades: int


def epoch(at: datetime) -> float:
    """Seconds since 1970 of an aware time."""
    return at.timestamp()


def from_epoch(seconds: float) -> datetime:
    """Aware UTC time of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class BarSeries:
    """Unbroken 15 minute bars. Bars in which nothing traded are present, flat at the last close, with 0 trades."""

    bars: Sequence[Bar]

    def __post_init__(self) -> None:
        if not self.bars:
            raise InvalidInput("a bar series is empty, expected at least one bar")
        first, last = self.bars[0].time, self.bars[-1].time
        if first % BAR_SECONDS or last - first != (len(self.bars) - 1) * BAR_SECONDS:
            raise InvalidInput(
                f"a bar series from {first} to {last} has {len(self.bars)} bars, expected one each 900 s"
            )

    @property
    def first(self) -> datetime:
        """Open time of the first bar."""
        return from_epoch(self.bars[0].time)

    @property
    def last(self) -> datetime:
        """End of the last bar: the last instant with a price."""
        return from_epoch(self.bars[-1].time + BAR_SECONDS)

    def number_at(self, at: datetime) -> int:
        """Index of the bar that contains `at` (a bar contains its open time); the last bar also its end."""
        number = int((epoch(at) - self.bars[0].time) // BAR_SECONDS)
        if number == len(self.bars) and at == self.last:
            return number - 1
        if not 0 <= number < len(self.bars):
            raise InvalidInput(
                f"no price at {at.isoformat()}, expected {self.first.isoformat()}..{self.last.isoformat()}"
            )
        return number

    def waypoints(self, number: int) -> list[tuple[float, float]]:
        """(epoch seconds, price) of the four points that the path visits in a bar."""
        bar = self.bars[number]
        prices = candle_waypoints((bar.open, bar.high, bar.low, bar.close))
        third = BAR_SECONDS / 3
        return [(bar.time + third * step, price) for step, price in enumerate(prices)]

    def running(self, at: datetime, price: float) -> Bar:
        """The bar that contains `at` as it looks then; `price` is the path's price at `at`."""
        number = self.number_at(at)
        bar = self.bars[number]
        elapsed = epoch(at) - bar.time
        seen = [value for time, value in self.waypoints(number) if time <= epoch(at)] + [price]
        share = min(elapsed / BAR_SECONDS, 1.0)
        trades = min(bar.trades, max(int(bar.trades * share), 1)) if elapsed > 0 else 0
        volume = bar.volume * share
        return Bar(bar.time, bar.open, max(seen), min(seen), price, volume, trades)


def fold(bars: Sequence[Bar], seconds: int) -> list[Bar]:
    """Fold ascending bars into buckets of `seconds` that start at whole multiples since 1970."""
    folded: list[Bar] = []
    for bar in bars:
        start = bar.time - bar.time % seconds
        if folded and folded[-1].time == start:
            old = folded[-1]
            folded[-1] = Bar(
                start,
                old.open,
                max(old.high, bar.high),
                min(old.low, bar.low),
                bar.close,
                old.volume + bar.volume,
                old.trades + bar.trades,
            )
        else:
            folded.append(bar._replace(time=start))
    return folded
