"""Write units of a day of ingest, metered on the real store, against one unit for each bar kept as an item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.storage.candle_index import SLAB_BARS, SeriesKey
from shared.storage.market_data import MarketDataStore
from shared.storage.tables import MarketDataItem
from tests.bench.candle_item import candle_items
from tests.bench.capacity import Meter, item_size, write_units
from tests.bench.sample_bars import DAY, PERIOD
from tests.bench.store_loading import client_of
from trading.model import folding
from trading.model.candles import CandleSeries
from trading.model.times import Timeframe, from_epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfWrites:
    """Write units a day. A fold of a higher timeframe counts with the share of days it happens on."""

    slabs: float
    folds: float
    items: float

    @property
    def ours(self) -> float:
        return self.slabs + self.folds


def write_a_day(table: str, bars: Mapping[SeriesKey, CandleSeries], midnight: int, bars_kept: int) -> DayOfWrites:
    """`bars` end at `midnight`, which ends a slab period of all timeframes; their last day is ingested close by close.

    What is there the day before is stored as history.
    """
    if midnight % PERIOD:
        raise ValueError(f"midnight is {midnight}; expected a multiple of {PERIOD} s, where all slab periods end")
    store, meter = MarketDataStore(table, bars_kept=bars_kept), Meter()
    meter.listen_to(client_of(MarketDataItem))
    store.add_history({key: series.until(midnight - DAY) for key, series in bars.items()}, from_epoch(midnight - DAY))
    day = {key: folding.since(series, midnight - DAY) for key, series in bars.items()}
    store.fold(from_epoch(midnight - DAY + Timeframe.M15.seconds))
    meter.reset()
    for close in range(midnight - DAY + Timeframe.M15.seconds, midnight + 1, Timeframe.M15.seconds):
        store.add(_closing_at(day, close), from_epoch(close))
    slabs = meter.writes.total()
    folds = [
        _fold(store, meter, from_epoch(midnight + each.seconds)) * DAY / (SLAB_BARS * each.seconds)
        for each in Timeframe
    ]
    items = sum(write_units(item_size(item.serialize())) for key in day for item in candle_items(key, day[key]))
    return DayOfWrites(slabs=slabs, folds=sum(folds), items=items)


def _closing_at(day: Mapping[SeriesKey, CandleSeries], close: int) -> dict[SeriesKey, CandleSeries]:
    """The bars that close right then; of most timeframes there is none."""
    due = {}
    for key, series in day.items():
        if close % key[1].seconds == 0:
            due[key] = folding.since(series.until(close), close - key[1].seconds)
    return due


def _fold(store: MarketDataStore, meter: Meter, now: datetime) -> float:
    """Write units of the fold that is due: the first new bar of a timeframe ends its old period."""
    meter.reset()
    folded = store.fold(now)
    if not folded:
        raise ValueError(f"nothing was folded at {now}; expected the end of a slab period")
    return meter.writes.total()
