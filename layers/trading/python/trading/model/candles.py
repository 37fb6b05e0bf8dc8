"""Closed candles. Nothing unclosed exists inside `trading`."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from trading.errors import InvalidInput
from trading.model.times import Timeframe, from_epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """One closed bar. `open_time` in whole seconds since 1970; prices in USD as floats; volume in base coins."""

    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float

    def __post_init__(self) -> None:
        prices = (self.open, self.high, self.low, self.close)
        if not all(math.isfinite(price) and price > 0 for price in prices):
            raise InvalidInput(f"candle at {self.open_time} has prices {prices}; expected finite numbers above 0")
        if self.high < max(prices) or self.low > min(prices):
            raise InvalidInput(f"candle at {self.open_time} has prices {prices}; expected low <= open, close <= high")
        if not math.isfinite(self.volume) or self.volume < 0:
            raise InvalidInput(f"candle at {self.open_time} has volume {self.volume}; expected 0 or more")


class CandleSeries:
    """Closed bars of one timeframe in columns, oldest first, open times strictly rising on the timeframe's grid.

    A missing bar is allowed and counted by `gaps`; nothing is invented for it. Columns are float64 arrays.
    """

    __slots__ = ("closes", "highs", "lows", "opens", "timeframe", "times", "volumes")

    def __init__(self, timeframe: Timeframe, candles: Iterable[Candle] = ()) -> None:
        self.timeframe = timeframe
        self.times: array[int] = array("q")
        self.opens, self.highs, self.lows = array("d"), array("d"), array("d")
        self.closes, self.volumes = array("d"), array("d")
        for candle in candles:
            self._append(candle)

    def _append(self, candle: Candle) -> None:
        if candle.open_time % self.timeframe.seconds:
            raise InvalidInput(f"{self.timeframe} candle opens at {candle.open_time}; expected the timeframe's grid")
        if self.times and candle.open_time <= self.times[-1]:
            raise InvalidInput(f"candle at {candle.open_time} follows {self.times[-1]}; expected rising open times")
        self.times.append(candle.open_time)
        self.opens.append(candle.open)
        self.highs.append(candle.high)
        self.lows.append(candle.low)
        self.closes.append(candle.close)
        self.volumes.append(candle.volume)

    @classmethod
    def from_columns(cls, timeframe: Timeframe, columns: Sequence[array[int] | array[float]]) -> CandleSeries:
        """Adopt columns (times, opens, highs, lows, closes, volumes) that were validated when they were stored."""
        series = cls(timeframe)
        series.times, series.opens, series.highs, series.lows, series.closes, series.volumes = columns  # type: ignore[assignment]
        if len({len(column) for column in columns}) != 1:
            raise InvalidInput(f"columns have lengths {[len(c) for c in columns]}; expected all alike")
        return series

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, index: int) -> Candle:
        return Candle(
            open_time=self.times[index],
            open=self.opens[index],
            high=self.highs[index],
            low=self.lows[index],
            close=self.closes[index],
            volume=self.volumes[index],
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CandleSeries) and self.timeframe == other.timeframe and self.columns == other.columns

    __hash__ = None  # type: ignore[assignment]

    @property
    def columns(self) -> tuple[array[int], array[float], array[float], array[float], array[float], array[float]]:
        return (self.times, self.opens, self.highs, self.lows, self.closes, self.volumes)

    @property
    def closed_at(self) -> datetime | None:
        """Close time of the newest bar, None when empty."""
        return from_epoch(self.times[-1] + self.timeframe.seconds) if self.times else None

    @property
    def gaps(self) -> int:
        """How many bars are missing between the first and the last."""
        if not self.times:
            return 0
        return (self.times[-1] - self.times[0]) // self.timeframe.seconds + 1 - len(self.times)

    def last(self, count: int) -> CandleSeries:
        """The newest `count` bars (all if fewer)."""
        return CandleSeries.from_columns(self.timeframe, tuple(column[-count:] for column in self.columns))

    def until(self, close_time: int) -> CandleSeries:
        """Only the bars closed at or before `close_time` (seconds since 1970)."""
        keep = len(self.times)
        while keep and self.times[keep - 1] + self.timeframe.seconds > close_time:
            keep -= 1
        return CandleSeries.from_columns(self.timeframe, tuple(column[:keep] for column in self.columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleAnswer:
    """Committed bars as the exchange gave them.

    `complete_before` (seconds since 1970, on the grid): a bar that opens before it and is not in `bars` never was: the
    exchange skipped it. A bar that opens at or after it may still come. Neither is said of bars that were not asked
    for, nor of those before the first bar of an answer as long as the exchange ever gives.
    """

    bars: CandleSeries
    complete_before: int
