"""Candle blocks: one item per coin and timeframe with its newest bars, rewritten whole, once per slab period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pynamodb.exceptions import DoesNotExist

from shared.storage.candle_index import SeriesKey
from shared.storage.candle_slabs import ATTEMPTS
from shared.storage.packing import pack_block, unpack_block
from shared.storage.tables import MarketDataItem, save_at_version
from trading.errors import CorruptRecord, StoreConflict
from trading.model.candles import CandleSeries
from trading.model.folding import merged


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """`newest`: by series, the newest open time of its block, 0 for an empty one. `refused`: blocks that did not
    decode; they were left as they are (never any when corrupt ones are replaced)."""

    newest: Mapping[SeriesKey, int]
    refused: tuple[SeriesKey, ...]


class BlockTable:
    """`bars_kept`: how many bars a block keeps per coin and timeframe."""

    def __init__(self, item: type[MarketDataItem], *, bars_kept: int) -> None:
        self._item = item
        self._bars_kept = bars_kept

    def merge(self, bars: Mapping[SeriesKey, CandleSeries], *, replace_corrupt: bool) -> Merged:
        """Merge bars into their blocks, read 100 per request. Raises StoreConflict when others keep writing."""
        items, newest, refused = dict(self._items(bars)), {}, []
        for key, series in sorted(bars.items()):
            try:
                newest[key] = self._merge_one(key, series, items.get(key), replace_corrupt=replace_corrupt)
            except CorruptRecord:
                refused.append(key)
        return Merged(newest=newest, refused=tuple(refused))

    def _merge_one(
        self, key: SeriesKey, series: CandleSeries, item: MarketDataItem | None, *, replace_corrupt: bool
    ) -> int:
        """`item` is the block as it was read. Raises CorruptRecord unless `replace_corrupt`."""
        for _ in range(ATTEMPTS):
            version = int(item.version or 0) if item else 0
            try:
                stored = unpack_block(item.data or b"") if item else CandleSeries(key[1])
            except CorruptRecord:
                if not replace_corrupt:
                    raise
                stored = CandleSeries(key[1])
            whole = merged(stored, series).last(self._bars_kept)
            if item is not None and whole == stored:
                return _newest(whole)
            fresh = self._item(*_block_key(key))
            fresh.data, fresh.version = pack_block(whole), version + 1
            try:
                save_at_version(fresh, version, f"candle block {key[0]} {key[1]}")
            except StoreConflict:
                item = self._get(key)
                continue
            return _newest(whole)
        raise StoreConflict(f"candle block {key[0]} {key[1]} changed {ATTEMPTS} times while saving")

    def read(self, keys: Iterable[SeriesKey]) -> tuple[dict[SeriesKey, CandleSeries], dict[SeriesKey, str]]:
        """The blocks that are there, 100 per request, and by key why one was refused."""
        blocks: dict[SeriesKey, CandleSeries] = {}
        refused: dict[SeriesKey, str] = {}
        for key, item in self._items(keys):
            try:
                blocks[key] = unpack_block(item.data or b"")
            except CorruptRecord as error:
                refused[key] = f"candle block {key[0]} {key[1]}: {error}"
        return blocks, refused

    def _items(self, keys: Iterable[SeriesKey]) -> Iterator[tuple[SeriesKey, MarketDataItem]]:
        by_item = {_block_key(key): key for key in keys}
        for item in self._item.batch_get(list(by_item), consistent_read=True):
            yield by_item[item.pk, item.sk], item

    def _get(self, key: SeriesKey) -> MarketDataItem | None:
        try:
            return self._item.get(*_block_key(key), consistent_read=True)
        except DoesNotExist:
            return None


def _block_key(key: SeriesKey) -> tuple[str, str]:
    return f"CANDLES#{key[0]}", key[1].value


def _newest(series: CandleSeries) -> int:
    return series.times[-1] if series else 0
