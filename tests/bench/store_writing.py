"""Write units of a day of ingest, metered on the real store, against one unit for each bar kept as an item.

Only candles are counted: slabs, blocks and the candle index. What else ingest writes (runs, quality, budgets) it would
write with one item per candle as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.storage.candle_index import SLAB_BARS, SeriesKey
from shared.storage.market_data import MarketDataStore
from shared.storage.tables import MarketDataItem
from tests.bench.candle_item import candle_items
from tests.bench.capacity import Meter, item_size, write_units
from tests.bench.sample_bars import DAY, MIDNIGHT
from tests.bench.store_loading import client_of
from trading.model import folding
from trading.model.candles import CandleSeries
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, from_epoch

Bars = Mapping[SeriesKey, CandleSeries]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """How the bars of one close are written: `coins_per_write` coins at a time, all at once with None.

    `sharded`: every such part has a slab of its own, as when several functions fetch a part each. Otherwise the parts
    are added to one slab one after the other, as when one function may only ask for so many coins a minute. `late`
    coins of each part come after all others, in a write of their own.
    """

    name: str
    coins_per_write: int | None = None
    sharded: bool = False
    late: int = 0

    def writes(self, coins: Sequence[InstrumentId]) -> list[tuple[int, frozenset[InstrumentId]]]:
        """Shard and coins of every write of a close."""
        size = self.coins_per_write or len(coins)
        on_time, late = [], []
        for start in range(0, len(coins), size):
            shard, part = 1 + start // size if self.sharded else 0, coins[start : start + size]
            on_time.append((shard, frozenset(part[self.late :])))
            late.append((shard, frozenset(part[: self.late])))
        return [(shard, part) for shard, part in on_time + late if part]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfWrites:
    """Write units a day. A fold of a higher timeframe counts with the share of days it happens on.

    `slab_writes`: how often a slab was sent, those that lost their condition included.
    """

    slabs: float
    slab_writes: int
    folds: float
    items: float

    @property
    def ours(self) -> float:
        return self.slabs + self.folds


def write_a_day(
    new_table: Callable[[str], str], bars: Bars, bars_kept: int, ingests: Mapping[str, Ingest]
) -> dict[str, DayOfWrites]:
    """`bars` end at MIDNIGHT, which ends a slab period of all timeframes; their last day is ingested in every way.

    What is there the day before is stored as history, and the day folded into it, in the first way only: the others
    hold the same bars that day, and fold them into the same blocks.
    """
    day = {key: folding.since(series, MIDNIGHT - DAY) for key, series in bars.items()}
    items = sum(write_units(item_size(item.serialize())) for key in day for item in candle_items(key, day[key]))
    folds, days = 0.0, dict[str, DayOfWrites]()
    for way, ingest in ingests.items():
        store, meter = MarketDataStore(new_table(way), bars_kept=bars_kept), Meter()
        meter.listen_to(client_of(MarketDataItem))
        if not days:
            history = {key: series.until(MIDNIGHT - DAY) for key, series in bars.items()}
            store.add_history(history, from_epoch(MIDNIGHT - DAY))
        store.fold(from_epoch(MIDNIGHT - DAY + Timeframe.M15.seconds))
        meter.reset()
        _ingest(store, day, ingest)
        slabs, slab_writes = meter.writes.total(), meter.requests["PutItem"]
        folds = folds or sum(_fold(store, meter, timeframe) for timeframe in Timeframe)
        days[way] = DayOfWrites(slabs=slabs, slab_writes=slab_writes, folds=folds, items=items)
    return days


def _ingest(store: MarketDataStore, day: Bars, ingest: Ingest) -> None:
    writes = ingest.writes(sorted({coin for coin, _ in day}))
    for close in range(MIDNIGHT - DAY + Timeframe.M15.seconds, MIDNIGHT + 1, Timeframe.M15.seconds):
        closed = _closing_at(day, close)
        for shard, coins in writes:
            store.add({key: series for key, series in closed.items() if key[0] in coins}, from_epoch(close), shard)


def _closing_at(day: Bars, close: int) -> dict[SeriesKey, CandleSeries]:
    """The bars that close right then; of most timeframes there is none."""
    due = {}
    for key, series in day.items():
        if close % key[1].seconds == 0:
            due[key] = folding.since(series.until(close), close - key[1].seconds)
    return due


def _fold(store: MarketDataStore, meter: Meter, timeframe: Timeframe) -> float:
    """Write units a day of a timeframe's fold. It is due with the first new bar, which ends the old period."""
    now = from_epoch(MIDNIGHT + timeframe.seconds)
    meter.reset()
    if not store.fold(now):
        raise ValueError(f"nothing was folded at {now}; expected the end of a slab period")
    return meter.writes.total() * DAY / (SLAB_BARS * timeframe.seconds)
