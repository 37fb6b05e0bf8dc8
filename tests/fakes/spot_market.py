"""A spot market in memory that follows the port's promises: committed bars only, the newest 720."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock

from trading.errors import VenueUnavailable
from trading.model import folding
from trading.model.candles import Candle, CandleAnswer, CandleSeries
from trading.model.times import Timeframe
from trading.model.venue import ListedPair, SpotQuote


@dataclass(slots=True)
class SpotInMemory:
    """`history` holds 15m bars by pair, as far into the future as the test likes; `now` is the exchange's clock.

    `hidden` are (pair, open time) that the exchange has not committed yet, `skipped` those of 15m that never were;
    `down` are pairs that do not answer, `hanging` pairs answer only when `released`. With `leaks` it breaks its promise
    and shows bars that still run.
    """

    history: dict[str, CandleSeries]
    now: datetime
    listed: tuple[ListedPair, ...] = ()
    hidden: set[tuple[str, int]] = field(default_factory=set)
    skipped: set[tuple[str, int]] = field(default_factory=set)
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

    def candles(self, pair: str, timeframe: Timeframe, since: datetime | None) -> CandleAnswer:
        with self._lock:
            self.calls.append((pair, timeframe))
        if pair in self.down or "all" in self.down:
            raise VenueUnavailable(f"{pair} does not answer")
        if pair in self.hanging:
            self.released.wait(10)
        whole = _traded(self.history[pair], timeframe, {time for name, time in self.skipped if name == pair})
        over = timeframe.floor(self.now) + timeframe.length * self.leaks
        seen = whole.until(int(over.timestamp())).last(720)
        start = 0 if since is None else int(since.timestamp())
        hidden = {time for name, time in self.hidden if name == pair and time in seen.times}
        return CandleAnswer(
            bars=folding.since(_without(seen, hidden), start),
            complete_before=min(hidden | {int(over.timestamp())}),
        )


def _traded(history: CandleSeries, timeframe: Timeframe, skipped: set[int]) -> CandleSeries:
    """Bars of the timeframe as the exchange makes them: out of the 15m bars in which something was traded."""
    if timeframe is Timeframe.M15:
        return _without(history, skipped)
    whole = folding.fold(history, timeframe)
    touched = {time - time % timeframe.seconds for time in skipped} & set(whole.times)
    parted = []
    for time in sorted(touched):
        span = folding.since(history, time).until(time + timeframe.seconds)
        parts = [span[index] for index in range(len(span)) if span.times[index] not in skipped]
        parted += [_joined(time, parts)] if parts else []
    return folding.merged(_without(whole, touched), CandleSeries(timeframe, parted))


def _joined(open_time: int, parts: Sequence[Candle]) -> Candle:
    return Candle(
        open_time=open_time,
        open=parts[0].open,
        high=max(part.high for part in parts),
        low=min(part.low for part in parts),
        close=parts[-1].close,
        volume=sum(part.volume for part in parts),
    )


def _without(bars: CandleSeries, left_out: set[int]) -> CandleSeries:
    kept = [bars[index] for index, time in enumerate(bars.times) if time not in left_out]
    return CandleSeries(bars.timeframe, kept)


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
