"""Price paths: how a price moves between two times, and the feed that supplies them.

Inside a candle the price is piecewise linear through four waypoints: open at the start, first extreme after one third
of the bar, second extreme after two thirds, close at the end. A candle that closes at or above its open visits its low
first, otherwise its high first. Between candles the price may jump (close of one, open of the next at the same time).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from trading.matching.rounding import ZERO, to_price

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class PricePoint:
    """Index (spot) and mark price at one instant. Prices are USD, unrounded, above 0."""

    time: datetime
    index: Decimal
    mark: Decimal


class PriceFeed(Protocol):
    """Source of prices for the matching core. Pure: the same question always has the same answer."""

    def quote(self, symbol: str, at: datetime) -> PricePoint:
        """Prices at `at`; at a bar boundary the open of the new bar."""
        ...

    def path(self, symbol: str, start: datetime, end: datetime) -> Sequence[PricePoint]:
        """Points from `start` to `end`, linear in between; the first is quote(start), the last is quote(end).

        Two points with equal times are a jump. A jump at `start` belongs to the path before, one at `end` to this.
        """
        ...

    def funding_rate(self, symbol: str, at: datetime) -> Decimal:
        """USD per contract per hour in the hour that contains `at`; positive means longs pay."""
        ...


def candle_waypoints(prices: Sequence[float]) -> tuple[float, float, float, float]:
    """Order in which the path visits (open, high, low, close): open, first extreme, second extreme, close."""
    opened, high, low, close = prices
    if close >= opened:
        return opened, low, high, close
    return opened, high, low, close


def interpolate(start: PricePoint, end: PricePoint, fraction: Decimal) -> PricePoint:
    """Point at `fraction` (0..1) of the way; times are cut to whole milliseconds so that they survive the wire."""
    if fraction <= ZERO:
        return start
    if fraction >= 1:
        return end
    elapsed = int((end.time - start.time) // MICROSECOND * fraction) // 1000 * 1000
    return PricePoint(
        start.time + elapsed * MICROSECOND,
        to_price(start.index + (end.index - start.index) * fraction),
        to_price(start.mark + (end.mark - start.mark) * fraction),
    )


def point_at(start: PricePoint, end: PricePoint, at: datetime) -> PricePoint:
    """Point of the linear move `start` -> `end` at the time `at`."""
    if at <= start.time:
        return start
    if at >= end.time:
        return end
    fraction = Decimal((at - start.time) // MICROSECOND) / Decimal((end.time - start.time) // MICROSECOND)
    return PricePoint(
        at,
        to_price(start.index + (end.index - start.index) * fraction),
        to_price(start.mark + (end.mark - start.mark) * fraction),
    )
