"""The universe, the last closes and 1h bars, on `MemoryTables`: what the trade path reads of the market data."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NoReturn

from shared.storage.candle_index import CandleIndex, Coverage, LoadedSeries, SeriesKey
from shared.storage.codec import from_json
from shared.storage.market_data import MarketDataStore, StoredUniverse
from tests.simulation.memory.tables import MemoryTables, StoredMarkets, millisecond
from trading.errors import CorruptRecord, StoreConflict
from trading.model.candles import CandleSeries
from trading.model.folding import merged
from trading.model.instruments import InstrumentId, Universe
from trading.model.times import Timeframe


class MemoryMarketData(MarketDataStore):
    """Each method is one step, as it is one call of the real store, except for: `replaceable_universe` (two Gets when
    it is damaged), `last_closes` (one Query) and `load` (a Get, a Query and a BatchGet).

    Of candles it keeps 1h bars only: whatever else reads or writes them raises, as no function on the trade path may.
    """

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def universe(self) -> StoredUniverse | None:
        stored = self._tables.universe
        if stored is None:
            return None
        universe = stored.universe if isinstance(stored.universe, Universe) else _decoded(stored.universe)
        return StoredUniverse(universe=universe, version=stored.version, at=stored.at)

    def replaceable_universe(self) -> StoredUniverse | None:
        try:
            return self.universe()
        except CorruptRecord:
            stored = self._tables.universe
            assert stored is not None
            long_ago = datetime.fromtimestamp(0, UTC)
            return StoredUniverse(universe=Universe(instruments=()), version=stored.version, at=long_ago)

    def save_universe(self, universe: Universe, at: datetime, previous: StoredUniverse | None) -> StoredUniverse:
        before = previous.version if previous else 0
        changed = previous is None or previous.universe.instruments != universe.instruments
        moment, stored = millisecond(at), self._tables.universe
        if (stored.version if stored else None) != (before or None):
            raise StoreConflict(f"universe is no longer at version {before}")
        self._tables.universe = StoredMarkets(universe, before + changed, moment)
        return StoredUniverse(universe=universe, version=before + changed, at=at)

    def last_closes(self, now: datetime) -> Mapping[InstrumentId, float]:
        return dict(sorted(self._tables.closes.get(Timeframe.M15.floor(now), {}).items()))

    def set_closes(self, at: datetime, closes: Mapping[InstrumentId, float]) -> None:
        """For the simulation: the closes (spot USD) of the 15m bar that is the newest closed one at `at`. Further
        calls for the same bar add coins; a bar without any reads as none, as it does when ingestion failed."""
        close = Timeframe.M15.floor(at)
        self._tables.closes[close] = {**self._tables.closes.get(close, {}), **closes}

    # candles

    def load_series(
        self, instruments: Iterable[InstrumentId], timeframes: Iterable[Timeframe], now: datetime
    ) -> Mapping[SeriesKey, CandleSeries]:
        _keeps_no_candles("load_series")

    def load(self, instruments: Iterable[InstrumentId], timeframes: Iterable[Timeframe], now: datetime) -> LoadedSeries:
        if tuple(timeframes) != (Timeframe.H1,):
            _keeps_no_candles("load")
        none, close = CandleSeries(Timeframe.H1), int(now.timestamp())
        kept = {(each, Timeframe.H1): self._tables.hours.get(each, none).until(close) for each in instruments}
        return LoadedSeries(series=kept, refused={})

    def set_bars(self, bars: Mapping[InstrumentId, CandleSeries]) -> None:
        """For the simulation: 1h bars by coin, beside those that are there."""
        for instrument, series in bars.items():
            known = self._tables.hours.get(instrument, CandleSeries(Timeframe.H1))
            self._tables.hours[instrument] = merged(known, series)

    def index(self, now: datetime) -> CandleIndex:
        _keeps_no_candles("index")

    def coverage(self, now: datetime, timeframes: Iterable[Timeframe] = tuple(Timeframe)) -> Coverage:
        _keeps_no_candles("coverage")

    def present(
        self, close: datetime, timeframes: Iterable[Timeframe], index: CandleIndex | None = None
    ) -> frozenset[SeriesKey]:
        _keeps_no_candles("present")

    def add(self, bars: Mapping[SeriesKey, CandleSeries], now: datetime, shard: int = 0) -> int:
        _keeps_no_candles("add")

    def add_history(self, bars: Mapping[SeriesKey, CandleSeries], now: datetime) -> int:
        _keeps_no_candles("add_history")

    def fold(self, now: datetime) -> int:
        _keeps_no_candles("fold")

    def forget(self, instruments: Iterable[InstrumentId], now: datetime) -> None:
        _keeps_no_candles("forget")


def _keeps_no_candles(method: str) -> NoReturn:
    raise NotImplementedError(f"{method} works on candles, which the market data in memory does not keep")


def _decoded(data: bytes) -> Universe:
    """Raises CorruptRecord."""
    try:
        text = zlib.decompress(data).decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise CorruptRecord(f"stored universe does not decompress: {error}") from error
    return from_json(Universe, text)
