"""Slabs: one item per timeframe and open time with that bar of every coin, kept until they are folded into blocks."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pynamodb.exceptions import DoesNotExist

from shared.storage.candle_index import SLAB_BARS, period_start
from shared.storage.packing import VALUES, Slab, pack_slab, unpack_slab
from shared.storage.tables import MarketDataItem, save_at_version
from trading.errors import CorruptRecord, StoreConflict
from trading.model.candles import CandleSeries
from trading.model.folding import merged
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, from_epoch, to_text

logger = logging.getLogger(__name__)

KEPT_AFTER_PERIOD = timedelta(days=7)
ATTEMPTS = 8

SUBSTITUTES = 99
"""The shard of bars that only stand in: where the exchange's own bar is there as well, that one counts."""

Row = tuple[float, ...]
"""Open, high, low, close, volume."""
CLOSE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tails:
    """Bars since the last fold, by coin. `refused` names the slabs that did not decode: their bars count as missing."""

    series: Mapping[InstrumentId, CandleSeries]
    substitutes: Mapping[InstrumentId, CandleSeries]
    refused: tuple[str, ...]

    def whole(self) -> dict[InstrumentId, CandleSeries]:
        """Both together; a substitute fills only what is missing."""
        together = dict(self.series)
        for instrument, series in self.substitutes.items():
            together[instrument] = merged(together[instrument], series) if instrument in together else series
        return together


class SlabTable:
    def __init__(self, item: type[MarketDataItem]) -> None:
        self._item = item
        # Keys of slabs that are there: those of the newest `tails`, and what was written since. Only a hint.
        self._seen: dict[Timeframe, set[tuple[str, str]]] = {}

    def write(self, timeframe: Timeframe, open_time: int, rows: Mapping[InstrumentId, Row], shard: int) -> None:
        """Add coins to the slab of this bar and shard. What is there stays; nothing is written when nothing is new.

        A slab that was seen is read before it is written: a refused write is charged like any other, and the read
        comes after it anyway. One that was not seen is mostly new, and then the read would be for nothing.
        Raises StoreConflict when other writers were first time after time.
        """
        item, seen = self._new_item(timeframe, open_time, shard), self._seen.setdefault(timeframe, set())
        stored, version = self._read(item) if (item.pk, item.sk) in seen else ({}, 0)
        seen.add((item.pk, item.sk))
        for _ in range(ATTEMPTS):
            if set(rows) <= set(stored):
                return
            item.data = pack_slab(_slab(timeframe, open_time, {**rows, **stored}))
            item.version = version + 1
            try:
                save_at_version(item, version, f"{timeframe} slab of {item.sk}")
                return
            except StoreConflict:
                stored, version = self._read(item)
        raise StoreConflict(f"{timeframe} slab of {item.sk} changed {ATTEMPTS} times while saving")

    def closes(self, timeframe: Timeframe, open_time: int, *, substitutes: bool) -> dict[InstrumentId, float]:
        """Close of every coin that has this bar, one Query. As in `tails`, the bars of a slab that does not decode
        count as missing: it must not take the closes of all other coins with it."""
        partition, prefix = _partition(timeframe, period_start(open_time, timeframe)), _time_prefix(open_time)
        found: dict[InstrumentId, float] = {}
        for item in self._item.query(partition, MarketDataItem.sk.startswith(prefix), consistent_read=True):
            if _shard(item) == SUBSTITUTES and not substitutes:
                continue
            try:
                slab = unpack_slab(item.data or b"")
            except CorruptRecord as error:
                logger.warning("%s slab of %s counts as missing: %s", timeframe, item.sk, error)
                continue
            # Substitutes come last, and what is there stays.
            found = dict(zip(slab.instruments, slab.columns[CLOSE], strict=True)) | found
        return found

    def tails(self, timeframe: Timeframe, first: int, last: int) -> Tails:
        """Bars that open within [first, last] (seconds since 1970), one Query per slab period."""
        slabs: dict[int, list[Slab]] = {}
        refused = []
        seen = self._seen[timeframe] = set()
        period = period_start(first, timeframe)
        while period <= last:
            for item in self._item.query(_partition(timeframe, period), consistent_read=True):
                seen.add((item.pk, item.sk))
                try:
                    slab = unpack_slab(item.data or b"")
                except CorruptRecord as error:
                    refused.append(f"{timeframe} slab of {item.sk}: {error}")
                    continue
                if first <= slab.open_time <= last:
                    slabs.setdefault(_shard(item), []).append(slab)
            period += SLAB_BARS * timeframe.seconds
        substitutes = slabs.pop(SUBSTITUTES, [])
        series: dict[InstrumentId, CandleSeries] = {}
        for _, of_shard in sorted(slabs.items()):
            for instrument, part in _by_coin(timeframe, of_shard).items():
                series[instrument] = merged(series[instrument], part) if instrument in series else part
        return Tails(series=series, substitutes=_by_coin(timeframe, substitutes), refused=tuple(refused))

    def _new_item(self, timeframe: Timeframe, open_time: int, shard: int) -> MarketDataItem:
        period = period_start(open_time, timeframe)
        item = self._item(_partition(timeframe, period), f"{_time_prefix(open_time)}{shard:02d}")
        item.expires_at = from_epoch(period + SLAB_BARS * timeframe.seconds) + KEPT_AFTER_PERIOD
        return item

    def _read(self, new: MarketDataItem) -> tuple[dict[InstrumentId, Row], int]:
        try:
            item = self._item.get(new.pk, new.sk, consistent_read=True)
        except DoesNotExist:
            return {}, 0
        try:
            slab = unpack_slab(item.data or b"")
        except CorruptRecord:
            # It was refused when it was read, its bars were fetched again: these are the ones being written now.
            return {}, int(item.version or 0)
        rows = zip(*slab.columns, strict=True)
        return dict(zip(slab.instruments, rows, strict=True)), int(item.version or 0)


def rows_by_bar(
    bars: Iterable[tuple[InstrumentId, CandleSeries]],
) -> dict[tuple[Timeframe, int], dict[InstrumentId, Row]]:
    """Turn series of coins into slab rows: (timeframe, open time) -> coin -> row."""
    rows: dict[tuple[Timeframe, int], dict[InstrumentId, Row]] = {}
    for instrument, series in bars:
        for time, *values in zip(*series.columns, strict=True):
            rows.setdefault((series.timeframe, int(time)), {})[instrument] = tuple(values)
    return rows


def _slab(timeframe: Timeframe, open_time: int, rows: Mapping[InstrumentId, Row]) -> Slab:
    instruments = tuple(sorted(rows))
    columns = tuple(array("d", (rows[each][value] for each in instruments)) for value in range(VALUES))
    return Slab(timeframe=timeframe, open_time=open_time, instruments=instruments, columns=columns)


def _by_coin(timeframe: Timeframe, slabs: list[Slab]) -> dict[InstrumentId, CandleSeries]:
    """Series out of the slabs of one shard: those of the same coins are cut column by column, not bar by bar."""
    series: dict[InstrumentId, CandleSeries] = {}
    slabs.sort(key=lambda slab: slab.open_time)
    groups: dict[tuple[InstrumentId, ...], list[Slab]] = {}
    for slab in slabs:
        groups.setdefault(slab.instruments, []).append(slab)
    for instruments, together in groups.items():
        times = array("q", (slab.open_time for slab in together))
        matrix = [array("d", b"".join(slab.columns[value].tobytes() for slab in together)) for value in range(VALUES)]
        for index, instrument in enumerate(instruments):
            values = [column[index :: len(instruments)] for column in matrix]
            part = CandleSeries.from_columns(timeframe, [times[:], *values])
            series[instrument] = merged(series[instrument], part) if instrument in series else part
    return series


def _partition(timeframe: Timeframe, period: int) -> str:
    return f"SLAB#{timeframe}#{to_text(from_epoch(period))}"


def _time_prefix(open_time: int) -> str:
    return f"{to_text(from_epoch(open_time))}#"


def _shard(item: MarketDataItem) -> int:
    return int(item.sk.rpartition("#")[2])
