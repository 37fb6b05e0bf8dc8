"""Candles in blocks and slabs against one item per candle: read units, client CPU and requests of a load, write units.

The emulator is a process of its own, so is each measured client. Both load the same bars, which is checked. The
figures of the few series are scaled to the 1,200 of 300 coins; a row that really loads 1,200 shows if that is fair.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.models import Model

from shared.storage.candle_index import SLAB_BARS, SeriesKey
from shared.storage.market_data import MarketDataStore
from tests.bench import sample_bars
from tests.bench.candle_item import CandleItem, candle_items, lean_items
from tests.bench.capacity import item_size, read_units
from tests.bench.cloud_emulator import create_table, emulated_tables
from tests.bench.results import Result, Row
from tests.bench.sample_bars import MIDDLE, MIDNIGHT
from tests.bench.store_loading import fingerprint
from tests.bench.store_writing import DayOfWrites, Ingest, write_a_day
from trading.model import folding
from trading.model.candles import CandleSeries
from trading.model.times import Timeframe, from_epoch
from trading.rules import load_rules

TARGETS = {
    "read_units_vs_item_per_candle": 3.0,
    "write_units_vs_item_per_candle": 5.0,
    "write_units_vs_item_per_candle_late_coins": 5.0,
    "write_units_vs_item_per_candle_one_slab": 5.0,
    "write_units_vs_item_per_candle_paced": 5.0,
    "write_units_vs_item_per_candle_few_coins": 5.0,
    "cpu_vs_item_per_candle": 10.0,
}
CHILD_SECONDS = 300
FEW_COINS = "_few_coins"
ONE_SLAB = Ingest(name="one slab")
COMPARED = (
    "Ours is the project's MarketDataStore (blocks and slabs, PynamoDB). The other is a PynamoDB model with one item "
    "per candle (text keys, ISO time, five numbers, an expiry), read by one Query a series. Both hold the same bars. "
    "To write such an item costs one unit however lean it is. Write ratios are of candles only, folds included."
)

Bars = Mapping[SeriesKey, CandleSeries]
Loaded = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreBench:
    """`bars` are loaded of each series of `coins`; `names`: how many times as many coins the figures are scaled to.

    `kept`: bars that a deployed store keeps in a block, which is what a fold writes. `item_runs`: timed loads of what
    takes long. `shard`: coins that one function of a sharded ingest writes; `paced`: coins that one function may ask
    for in a minute where the exchange allows a call a second.
    """

    coins: int = 15
    names: int = 20
    bars: int = 600
    kept: int = load_rules().data.bars_kept
    runs: int = 9
    item_runs: int = 3
    shard: int = 100
    paced: int = 60

    @property
    def ingests(self) -> Mapping[str, Ingest]:
        """The ways to write a day of all coins that are measured, by what their ratio's name ends with."""
        shards = f"{self.shard} coins a slab"
        return {
            "": Ingest(name=shards, coins_per_write=self.shard, sharded=True),
            "_late_coins": Ingest(name=f"{shards}, 1 of each late", coins_per_write=self.shard, sharded=True, late=1),
            "_one_slab": ONE_SLAB,
            "_paced": Ingest(name=f"one slab, {self.paced} coins a minute", coins_per_write=self.paced),
        }

    @property
    def series(self) -> int:
        return self.coins * len(Timeframe)


def run(bench: StoreBench) -> Result:
    """Fill, load, count. Raises ValueError when the two ways do not give the same bars."""
    bars = sample_bars.four_timeframes(bench.coins, MIDDLE, max(bench.bars, bench.kept) + SLAB_BARS)
    with emulated_tables() as tables:
        items = create_table(tables, CandleItem.Meta.table_name)
        _fill_items(bars, bench.bars)
        ours = _blocks(create_table(tables, "bench-few"), bars, bench.bars, bench.runs)
        theirs = _loaded("items", items, bars, bench.bars, bench.item_runs)
        deployed = _blocks(create_table(tables, "bench-deployed"), bars, bench.kept, bench.runs)
        more = sample_bars.under_tickers(sample_bars.under_more_names(bars, bench.names))
        whole = _blocks(create_table(tables, "bench-many"), more, bench.bars, bench.item_runs, bench.ingests[""])
        few = _days_of_writes(tables, bench, 1, {FEW_COINS: ONE_SLAB})
        days = {**_days_of_writes(tables, bench, bench.names, bench.ingests), **few}
    return Result(
        subject="store",
        rows=_rows(bench, ours, theirs, whole),
        ratios={
            "read_units_vs_item_per_candle": theirs["read_units"] / ours["read_units"],
            **{f"write_units_vs_item_per_candle{way}": _ratio(day) for way, day in days.items()},
            "cpu_vs_item_per_candle": _median(theirs) / _median(ours),
            "requests_vs_item_per_candle": theirs["requests"] / ours["requests"],
            f"read_units_vs_item_per_candle_{bench.kept}": _units(candle_items, bars, bench.kept)
            / deployed["read_units"],
            "read_units_vs_lean_item_per_candle": _units(lean_items, bars, bench.bars) / ours["read_units"],
        },
        targets=TARGETS,
        notes=[COMPARED, *(_described(bench, way, day) for way, day in days.items())],
    )


def _blocks(table: str, bars: Bars, count: int, runs: int, ingest: Ingest = ONE_SLAB) -> Loaded:
    """Fill a table as ingest would have done it by MIDDLE, and load `count` bars of each series."""
    store, now = MarketDataStore(table, bars_kept=count), from_epoch(MIDDLE)
    store.add({}, now)
    folded = store.coverage(now).index.folded_until
    store.add_history({key: series.until(folded[key[1]]) for key, series in bars.items()}, now)
    recent = {key: folding.since(series, folded[key[1]]) for key, series in bars.items()}
    for shard, coins in ingest.writes(sorted({coin for coin, _ in bars})):
        store.add({key: series for key, series in recent.items() if key[0] in coins}, now, shard)
    return _loaded("blocks", table, bars, count, runs)


def _fill_items(bars: Bars, count: int) -> None:
    with CandleItem.batch_write() as batch:
        for key, series in bars.items():
            for item in candle_items(key, series.last(count)):
                batch.save(item)


def _loaded(way: str, table: str, bars: Bars, count: int, runs: int) -> Loaded:
    """What the measured process says. It must have loaded just the newest `count` bars."""
    coins = ",".join(dict.fromkeys(coin for coin, _ in bars))
    command = [sys.executable, "-m", "tests.bench.store_loading", way, table, coins, str(count), str(MIDDLE), str(runs)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_SECONDS, check=False)
    if answer.returncode:
        raise ValueError(f"loading {way} failed: {answer.stderr.strip()}")
    found: Loaded = json.loads(answer.stdout)
    if found["fingerprint"] != fingerprint({key: series.last(count) for key, series in bars.items()}):
        raise ValueError(f"loading {way} gave other bars than were stored; expected the newest {count} of each series")
    return found


def _days_of_writes(
    tables: Any, bench: StoreBench, names: int, ingests: Mapping[str, Ingest]
) -> Mapping[str, DayOfWrites]:
    bars = sample_bars.four_timeframes(bench.coins, MIDNIGHT, bench.kept + SLAB_BARS)
    more = sample_bars.under_tickers(sample_bars.under_more_names(bars, names))
    return write_a_day(lambda way: create_table(tables, f"bench-day{way}"), more, bench.kept, ingests)


def _units(items_of: Callable[[SeriesKey, CandleSeries], Sequence[Model]], bars: Bars, count: int) -> int:
    """Read units of one Query a series, by the sizes of the items alone."""
    newest = {key: series.last(count) for key, series in bars.items()}
    return sum(
        read_units(sum(item_size(item.serialize()) for item in items_of(key, series))) for key, series in newest.items()
    )


def _rows(bench: StoreBench, ours: Loaded, theirs: Loaded, whole: Loaded) -> list[Row]:
    few, many = bench.series, bench.series * bench.names
    return [
        _row(f"blocks and slabs, {few} series", ours, few * bench.bars),
        _row(f"item per candle, {few} series", theirs, few * bench.bars),
        _row(f"blocks and slabs, scaled to {many}", _scaled(ours, bench.names), many * bench.bars),
        _row(f"item per candle, scaled to {many}", _scaled(theirs, bench.names), many * bench.bars),
        _row(f"blocks and slabs, {many} really loaded", whole, many * bench.bars),
    ]


def _row(name: str, loaded: Loaded, bars: int) -> Row:
    extra = {figure: loaded[figure] for figure in ("requests", "read_units", "read_bytes")}
    return Row(name=name, count=bars, cpu_seconds=loaded["cpu_seconds"], peak_mib=loaded["peak_mib"], extra=extra)


def _scaled(loaded: Loaded, times: int) -> Loaded:
    """Memory is not scaled: it is what the process with the few series held."""
    counts = {figure: loaded[figure] * times for figure in ("requests", "read_units", "read_bytes")}
    return {**loaded, **counts, "cpu_seconds": [seconds * times for seconds in loaded["cpu_seconds"]]}


def _median(loaded: Loaded) -> float:
    return float(statistics.median(loaded["cpu_seconds"]))


def _ratio(day: DayOfWrites) -> float:
    return day.items / day.ours


def _described(bench: StoreBench, way: str, day: DayOfWrites) -> str:
    coins, ingest = bench.coins, ONE_SLAB
    if way != FEW_COINS:
        coins, ingest = bench.names * bench.coins, bench.ingests[way]
    return (
        f"Write units a day, {coins} coins, {ingest.name} a close: {day.ours:.0f} (slabs {day.slabs:.0f} in "
        f"{day.slab_writes} writes, folds {day.folds:.0f}) against {day.items:.0f} with one item per candle."
    )
