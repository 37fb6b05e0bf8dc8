"""MarketData: the universe and the candles. Everything in it can be fetched again from the venue.

Candles live in *blocks* (one item per coin and timeframe) and, since the last fold, in *slabs* (one item per bar with
all coins). Bars are added to slabs; a fold moves a finished slab period into the blocks. Every write is conditional and
idempotent: the same bars in any order, split or repeated, give the same stored series.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from pynamodb.exceptions import DoesNotExist

from shared.storage.candle_blocks import BlockTable
from shared.storage.candle_index import (
    CandleIndex,
    Coverage,
    LoadedSeries,
    SeriesKey,
    pack_index,
    period_start,
    unpack_index,
)
from shared.storage.candle_slabs import ATTEMPTS, SUBSTITUTES, SlabTable, rows_by_bar
from shared.storage.codec import from_json, to_json
from shared.storage.tables import MarketDataItem, bind, save_at_version
from trading.errors import CorruptRecord, InvalidInput, StoreConflict
from trading.model.candles import CandleSeries
from trading.model.folding import merged, newest_closed, since
from trading.model.instruments import InstrumentId, Universe
from trading.model.times import Timeframe, from_text, to_text

INDEX_KEY = ("CANDLES", "INDEX")
UNIVERSE_KEY = ("UNIVERSE", "CURRENT")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUniverse:
    """`version` counts changes of the markets; `at` is when discovery last confirmed them."""

    universe: Universe
    version: int
    at: datetime


class MarketDataStore:
    """`bars_kept`: how many bars a block keeps per coin and timeframe. Reads are strong."""

    def __init__(self, table_name: str, *, bars_kept: int) -> None:
        self._item = bind(MarketDataItem, table_name)
        self._slabs = SlabTable(self._item)
        self._blocks = BlockTable(self._item, bars_kept=bars_kept)
        self._bars_kept = bars_kept
        self._decoded: tuple[bytes, Universe] | None = None

    # universe

    def universe(self) -> StoredUniverse | None:
        """The markets in force, None before the first discovery. Raises CorruptRecord."""
        item = self._get(UNIVERSE_KEY)
        if item is None:
            return None
        data = bytes(item.data or b"")
        if self._decoded is None or self._decoded[0] != data:
            try:
                text = zlib.decompress(data).decode()
            except (zlib.error, UnicodeDecodeError) as error:
                raise CorruptRecord(f"stored universe does not decompress: {error}") from error
            self._decoded = (data, from_json(Universe, text))
        return StoredUniverse(universe=self._decoded[1], version=int(item.version or 0), at=from_text(item.at or ""))

    def replaceable_universe(self) -> StoredUniverse | None:
        """The stored universe for the one who replaces it: a damaged one counts as empty, at its version."""
        try:
            return self.universe()
        except CorruptRecord:
            item = self._get(UNIVERSE_KEY)
            assert item is not None
            long_ago = datetime.fromtimestamp(0, UTC)
            return StoredUniverse(universe=Universe(instruments=()), version=int(item.version or 0), at=long_ago)

    def save_universe(self, universe: Universe, at: datetime, previous: StoredUniverse | None) -> StoredUniverse:
        """Replace `previous`. The version moves only when a market changed. StoreConflict when somebody was first."""
        before = previous.version if previous else 0
        changed = previous is None or previous.universe.instruments != universe.instruments
        item = self._item(*UNIVERSE_KEY)
        item.data = zlib.compress(to_json(universe).encode())
        item.version, item.at = before + changed, to_text(at)
        save_at_version(item, before, "universe")
        return StoredUniverse(universe=universe, version=before + changed, at=at)

    # candles: reading

    def load_series(
        self, instruments: Iterable[InstrumentId], timeframes: Iterable[Timeframe], now: datetime
    ) -> Mapping[SeriesKey, CandleSeries]:
        """The newest bars (at most `bars_kept`) closed by `now`, for every key asked for. Raises CorruptRecord."""
        loaded = self.load(instruments, timeframes, now)
        if loaded.refused:
            raise CorruptRecord("; ".join(loaded.refused.values()))
        return loaded.series

    def load(self, instruments: Iterable[InstrumentId], timeframes: Iterable[Timeframe], now: datetime) -> LoadedSeries:
        """Like `load_series`, but a record that does not decode is named in `refused` and loads as an empty series."""
        keys = [(instrument, timeframe) for timeframe in timeframes for instrument in instruments]
        coverage = self.coverage(now, {timeframe for _, timeframe in keys})
        blocks, refused = self._blocks.read(keys)
        close = int(now.timestamp())
        series = {}
        for key in keys:
            block = blocks.get(key, CandleSeries(key[1])) if key not in refused else None
            known = merged(block, coverage.shown(key)) if block is not None else CandleSeries(key[1])
            series[key] = known.until(close).last(self._bars_kept)
        return LoadedSeries(series=series, refused=refused)

    def index(self, now: datetime) -> CandleIndex:
        """What the blocks hold, one Get. An unreadable index reads as an empty store."""
        item = self._get(INDEX_KEY)
        if item is None:
            return CandleIndex.starting(now)
        version = int(item.version or 0)
        try:
            return unpack_index(item.data or b"", version)
        except CorruptRecord:
            # The index is only a summary: without it every coin counts as new and is fetched again.
            return replace(CandleIndex.starting(now), version=version)

    def coverage(self, now: datetime, timeframes: Iterable[Timeframe] = tuple(Timeframe)) -> Coverage:
        """One read of the index and about one Query per timeframe. An unreadable index reads as an empty store."""
        index = self.index(now)
        tails: dict[SeriesKey, CandleSeries] = {}
        substitutes: dict[SeriesKey, CandleSeries] = {}
        refused: list[str] = []
        for timeframe in sorted(timeframes, key=lambda each: each.seconds) if index.version else ():
            found = self._slabs.tails(timeframe, index.folded_until[timeframe], newest_closed(now, timeframe))
            tails.update({(instrument, timeframe): series for instrument, series in found.series.items()})
            substitutes.update({(instrument, timeframe): series for instrument, series in found.substitutes.items()})
            refused += found.refused
        return Coverage(index=index, tails=tails, substitutes=substitutes, refused=tuple(refused))

    def present(
        self, close: datetime, timeframes: Iterable[Timeframe], index: CandleIndex | None = None
    ) -> frozenset[SeriesKey]:
        """The series that hold the newest bar closed at `close`: one Query per timeframe, and one Get of the index
        where the caller has not just read it."""
        index = index or self.index(close)
        found: set[SeriesKey] = set()
        for timeframe in timeframes if index.version else ():
            open_time = newest_closed(close, timeframe)
            found |= {key for key, newest in index.newest.items() if key[1] is timeframe and newest >= open_time}
            recent = self._slabs.closes(timeframe, open_time, substitutes=False)
            found |= {(instrument, timeframe) for instrument in recent}
        return frozenset(found)

    def last_closes(self, now: datetime) -> Mapping[InstrumentId, float]:
        """Close of the newest closed 15m bar by coin; a coin without one, and without a substitute, is left out."""
        return self._slabs.closes(Timeframe.M15, newest_closed(now, Timeframe.M15), substitutes=True)

    # candles: writing

    def add(self, bars: Mapping[SeriesKey, CandleSeries], now: datetime, shard: int = 0) -> int:
        """Store closed bars; returns how many were handed in. Bars of a folded period go to their block at once.

        Writers with different `shard` never meet in one slab. With SUBSTITUTES the bars stand in for missing ones
        until the real ones come. Raises InvalidInput for a bar that is not closed at `now`, StoreConflict when others
        keep writing.
        """
        index = self.index(now)
        if not index.version:
            self._change_index(now, lambda each: each)
        recent: list[tuple[InstrumentId, CandleSeries]] = []
        older: dict[SeriesKey, CandleSeries] = {}
        for key, series in sorted(bars.items()):
            _require_closed(key, series, now)
            folded = index.folded_until[key[1]]
            recent.append((key[0], since(series, folded)))
            if old := series.until(folded):
                older[key] = old
        self._merge_blocks(older, now)
        self._add_recent(recent, index, now, shard)
        return sum(len(series) for series in bars.values())

    def add_history(self, bars: Mapping[SeriesKey, CandleSeries], now: datetime) -> int:
        """Store whole series of new coins as blocks; returns the number of bars. A corrupt block is replaced."""
        for key, series in sorted(bars.items()):
            _require_closed(key, series, now)
        self._blocks.merge(bars, replace_corrupt=True)
        newest = {key: series.times[-1] if series else newest_closed(now, key[1]) for key, series in bars.items()}
        if newest:
            self._change_index(now, lambda index: index.with_newest(newest))
        return sum(len(series) for series in bars.values())

    def fold(self, now: datetime) -> int:
        """Move finished slab periods into blocks; returns how many series were folded (mostly 0, for one read)."""
        index = self.index(now)
        folded = 0
        for timeframe in Timeframe if index.version else ():
            until = period_start(newest_closed(now, timeframe), timeframe)
            if until <= index.folded_until[timeframe]:
                continue
            folded += self._fold_slabs(timeframe, index.folded_until[timeframe], until, now)
            self._change_index(now, partial(CandleIndex.with_folded, timeframe=timeframe, until=until))
            # A slab written while the blocks were merged is caught here, one written from now on by `add` itself.
            self._fold_slabs(timeframe, index.folded_until[timeframe], until, now)
        return folded

    def forget(self, instruments: Iterable[InstrumentId], now: datetime) -> None:
        """Mark coins as new: the next ingest fetches their whole history again."""
        gone = sorted(set(instruments))
        if gone:
            self._change_index(now, lambda index: index.without(gone))

    # inside

    def _add_recent(
        self, bars: list[tuple[InstrumentId, CandleSeries]], index: CandleIndex, now: datetime, shard: int
    ) -> None:
        """Write slabs; what a fold overtook meanwhile goes to the blocks as well."""
        for (timeframe, open_time), rows in sorted(rows_by_bar(bars).items()):
            self._slabs.write(timeframe, open_time, rows, shard)
        after = self.index(now)
        overtaken = {
            (instrument, series.timeframe): series.until(after.folded_until[series.timeframe])
            for instrument, series in bars
            if after.folded_until[series.timeframe] > index.folded_until[series.timeframe]
        }
        self._merge_blocks({key: series for key, series in overtaken.items() if series}, now)

    def _fold_slabs(self, timeframe: Timeframe, first: int, until: int, now: datetime) -> int:
        tails = self._slabs.tails(timeframe, first, until - timeframe.seconds)
        whole = {(instrument, timeframe): series for instrument, series in tails.whole().items()}
        self._merge_blocks(whole, now)
        return len(whole)

    def _merge_blocks(self, bars: Mapping[SeriesKey, CandleSeries], now: datetime) -> None:
        """Merge into existing blocks. A coin whose block does not decode is forgotten, so that it is fetched again."""
        merged_blocks = self._blocks.merge(bars, replace_corrupt=False)
        corrupt = {instrument for instrument, _ in merged_blocks.refused}
        if bars:
            self._change_index(now, lambda index: index.with_newest(merged_blocks.newest).without(corrupt))

    def _change_index(self, now: datetime, change: Callable[[CandleIndex], CandleIndex]) -> None:
        for _ in range(ATTEMPTS):
            index = self.index(now)
            changed = change(index)
            if changed == index and index.version:
                return
            item = self._item(*INDEX_KEY)
            item.data, item.version = pack_index(changed), index.version + 1
            try:
                save_at_version(item, index.version, "candle index")
                return
            except StoreConflict:
                continue
        raise StoreConflict(f"candle index changed {ATTEMPTS} times while saving")

    def _get(self, key: tuple[str, str]) -> MarketDataItem | None:
        try:
            return self._item.get(*key, consistent_read=True)
        except DoesNotExist:
            return None


def _require_closed(key: SeriesKey, series: CandleSeries, now: datetime) -> None:
    closed_at = series.closed_at
    if series.timeframe is not key[1]:
        raise InvalidInput(f"{series.timeframe} bars of {key[0]} were given as {key[1]}; expected one timeframe")
    if closed_at is not None and closed_at > now:
        raise InvalidInput(f"{key[0]} {key[1]} bar closes at {closed_at}; expected closed by {now}")


__all__ = ["SUBSTITUTES", "Coverage", "LoadedSeries", "MarketDataStore", "SeriesKey", "StoredUniverse"]
