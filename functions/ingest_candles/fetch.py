"""What one coin lacks, fetched: 15m bars from the exchange, higher bars derived from them where the set is complete."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime

from shared.storage.candle_index import Coverage, SeriesKey
from trading.errors import TradingError
from trading.model.candles import CandleSeries
from trading.model.folding import fold, merged, newest_closed, since
from trading.model.instruments import Instrument, InstrumentId
from trading.model.times import Timeframe, from_epoch
from trading.ports import SpotMarket

WORKERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """New bars of one coin. `history`: they are its first. `waiting`: why the coin is not complete, None when it is."""

    instrument: InstrumentId
    bars: Mapping[Timeframe, CandleSeries]
    history: bool = False
    waiting: str | None = None


@dataclass(slots=True, kw_only=True)
class Catch:
    """What came back for all coins, in order of their ids. `defects` are errors that no venue should cause."""

    fetched: list[Fetched] = field(default_factory=list)
    defects: list[BaseException] = field(default_factory=list)

    def bars(self, *, history: bool) -> dict[SeriesKey, CandleSeries]:
        """Series to store; for new coins also the empty ones, which say that the exchange has none."""
        return {
            (each.instrument, timeframe): series
            for each in self.fetched
            if each.history is history
            for timeframe, series in each.bars.items()
            if series or history
        }

    @property
    def waiting(self) -> dict[InstrumentId, str]:
        return {each.instrument: each.waiting for each in self.fetched if each.waiting is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Fetches what is missing of the bars that closed by `close`. A coin that fails or hangs stops no other.

    `due`: the timeframes to look at; a new coin gets all of them anyway.
    """

    spot: SpotMarket
    coverage: Coverage
    close: datetime
    due: tuple[Timeframe, ...]
    patience_s: float

    def fetch_all(self, coins: tuple[Instrument, ...]) -> Catch:
        executor = ThreadPoolExecutor(max_workers=WORKERS)
        futures = {coin.id: executor.submit(self.fetch, coin) for coin in coins}
        wait(futures.values(), timeout=self.patience_s)
        # A hanging call ends by its own time limit; nobody waits for it here.
        executor.shutdown(wait=False, cancel_futures=True)
        catch = Catch()
        for instrument in sorted(futures):
            catch.fetched.append(self._settled(instrument, futures[instrument], catch))
        return catch

    def _settled(self, instrument: InstrumentId, future: Future[Fetched], catch: Catch) -> Fetched:
        if not future.done() or future.cancelled():
            return Fetched(instrument=instrument, bars={}, waiting=f"no answer within {self.patience_s:g} s")
        error = future.exception()
        if error is None:
            return future.result()
        if not isinstance(error, TradingError):
            catch.defects.append(error)
        return Fetched(instrument=instrument, bars={}, waiting=f"{type(error).__name__}: {error}")

    def fetch(self, coin: Instrument) -> Fetched:
        if not self.coverage.index.has_blocks(coin.id):
            bars = {timeframe: self._exchange(coin, timeframe, None) for timeframe in Timeframe}
            return Fetched(instrument=coin.id, bars=bars, history=True, waiting=self._lacking(coin, bars))
        if Timeframe.M15 not in self.due:
            return Fetched(instrument=coin.id, bars={})
        bars = {Timeframe.M15: self._fetched_15m(coin)}
        if self._lacking(coin, bars) is None:
            known = merged(self.coverage.tail((coin.id, Timeframe.M15)), bars[Timeframe.M15])
            bars.update({each: self._higher(coin, each, known) for each in self.due if each is not Timeframe.M15})
        return Fetched(instrument=coin.id, bars=bars, waiting=self._lacking(coin, bars))

    def _fetched_15m(self, coin: Instrument) -> CandleSeries:
        key = (coin.id, Timeframe.M15)
        if self.coverage.has(key, newest_closed(self.close, Timeframe.M15)):
            return CandleSeries(Timeframe.M15)
        return self._exchange(coin, Timeframe.M15, from_epoch(self.coverage.first_missing(key)))

    def _higher(self, coin: Instrument, timeframe: Timeframe, bars_15m: CandleSeries) -> CandleSeries:
        """Derived bars, and the exchange's own where a 15m bar inside is missing."""
        key, newest = (coin.id, timeframe), newest_closed(self.close, timeframe)
        if self.coverage.has(key, newest):
            return CandleSeries(timeframe)
        first = self.coverage.first_missing(key)
        derived = since(fold(bars_15m, timeframe), first)
        known = {*derived.times, *self.coverage.tail(key).times}
        missing = [time for time in range(first, newest + 1, timeframe.seconds) if time not in known]
        if not missing:
            return derived
        return merged(derived, self._exchange(coin, timeframe, from_epoch(missing[0])))

    def _exchange(self, coin: Instrument, timeframe: Timeframe, start: datetime | None) -> CandleSeries:
        return self.spot.candles(coin.spot_pair, timeframe, start).until(int(self.close.timestamp()))

    def _lacking(self, coin: Instrument, bars: Mapping[Timeframe, CandleSeries]) -> str | None:
        """The first timeframe whose newest bar is neither stored nor fetched. A new coin may be younger than a bar."""
        for timeframe, series in bars.items():
            newest = newest_closed(self.close, timeframe)
            young = not series and not self.coverage.index.has_blocks(coin.id)
            if not young and newest not in series.times and not self.coverage.has((coin.id, timeframe), newest):
                return f"the {timeframe} bar that opened at {from_epoch(newest):%Y-%m-%d %H:%M} is not there"
        return None
