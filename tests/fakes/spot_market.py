"""A spot market in memory that follows the port's promises: committed bars only, the newest 720."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock

from trading.errors import VenueUnavailable
from trading.model import folding
from trading.model.candles import Candle, CandleSeries
from trading.model.times import Timeframe
from trading.model.venue import ListedPair, SpotQuote


@dataclass(slots=True)
class SpotInMemory:
    """`history` holds 15m bars by pair, as far into the future as the test likes; `now` is the exchange's clock.

    `hidden` are (pair, open time) that the exchange has not committed yet; `down` are pairs that do not answer,
    `hanging` pairs answer only when `released`. With `leaks` it breaks its promise and shows bars that still run.
    """

    history: dict[str, CandleSeries]
    now: datetime
    listed: tuple[ListedPair, ...] = ()
    hidden: set[tuple[str, int]] = field(default_factory=set)
    down: set[str] = field(default_factory=set)
    hanging: set[str] = field(default_factory=set)
    leaks: bool = False
    calls: list[tuple[str, Timeframe]] = field(default_factory=list)
    released: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)

    def pairs(self) -> tuple[ListedPair, ...]:
        if "all" in self.down:
            raise VenueUnavailable("the spot market does not answer")
        return self.listed

    def quotes(self, pairs: Sequence[str]) -> dict[str, SpotQuote]:
        return {}

    def candles(self, pair: str, timeframe: Timeframe, since: datetime | None) -> CandleSeries:
        with self._lock:
            self.calls.append((pair, timeframe))
        if pair in self.down or "all" in self.down:
            raise VenueUnavailable(f"{pair} does not answer")
        if pair in self.hanging:
            self.released.wait(10)
        bars = self.history[pair]
        whole = bars if timeframe is Timeframe.M15 else folding.fold(bars, timeframe)
        seen = whole.until(int(self.now.timestamp()) + timeframe.seconds * self.leaks).last(720)
        start = 0 if since is None else int(since.timestamp())
        rows = folding.since(seen, start)
        kept = [rows[i] for i in range(len(rows)) if (pair, rows.times[i]) not in self.hidden]
        return CandleSeries(timeframe, kept)


def wave(first: int, count: int, start_price: float = 100.0, step: int = 900) -> CandleSeries:
    """`count` 15m bars from open time `first`, every one different, prices as exact as two decimals."""
    candles = []
    for index in range(count):
        price = start_price + (index * 7 % 41) / 4 + index / 64
        candles.append(
            Candle(
                open_time=first + index * step,
                open=price,
                high=price + 1.5,
                low=price - 1.25,
                close=price + (index % 3 - 1) / 2,
                volume=1.0 + index % 5,
            )
        )
    return CandleSeries(Timeframe.M15, candles)
