"""The quality of every coin's candles, in the MarketData table: one small item per shard of ingest.

Nothing here is needed for safety of money: what is lost is learnt again from the next closes.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pynamodb.exceptions import DoesNotExist

from shared.storage.codec import from_json, to_json
from shared.storage.tables import MarketDataItem, bind, save_at_version
from trading.errors import CorruptRecord
from trading.model.instruments import InstrumentId
from trading.model.quality import CoinQuality
from trading.model.times import to_text

PARTITION = "QUALITY"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedQuality:
    """What is known by coin; a coin that is not in it is new. `refused`: items that did not decode, and why."""

    coins: Mapping[InstrumentId, CoinQuality]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shard:
    coins: tuple[tuple[InstrumentId, CoinQuality], ...]


class QualityStore:
    """Reads are strong. A write counts on the version that this store read last, so load before you save."""

    def __init__(self, table_name: str) -> None:
        self._item = bind(MarketDataItem, table_name)
        self._versions: dict[str, int] = {}

    def load(self) -> dict[InstrumentId, CoinQuality]:
        """The newest word on every coin, one Query. An item that does not decode reads as nothing known."""
        return dict(self.load_all().coins)

    def load_all(self) -> LoadedQuality:
        """Like `load`, and says what did not decode. Of two shards that name a coin, the one saved last counts."""
        coins: dict[InstrumentId, CoinQuality] = {}
        refused = []
        items = list(self._item.query(PARTITION, consistent_read=True))
        self._versions = {item.sk: int(item.version or 0) for item in items}
        for item in sorted(items, key=lambda each: (each.at or "", each.sk)):
            try:
                coins.update(_unpack(item))
            except CorruptRecord as error:
                refused.append(f"quality of shard {item.sk}: {error}")
        return LoadedQuality(coins=coins, refused=tuple(refused))

    def load_shard(self, shard: int) -> dict[InstrumentId, CoinQuality]:
        """What one shard saved last; empty when that was nothing or does not decode."""
        key = _sort_key(shard)
        try:
            item = self._item.get(PARTITION, key, consistent_read=True)
        except DoesNotExist:
            self._versions[key] = 0
            return {}
        self._versions[key] = int(item.version or 0)
        try:
            return dict(_unpack(item))
        except CorruptRecord:
            return {}

    def save(self, shard: int, qualities: Mapping[InstrumentId, CoinQuality], at: datetime) -> None:
        """Replace what the shard holds. StoreConflict when it was saved by somebody else since it was loaded here."""
        key = _sort_key(shard)
        item = self._item(PARTITION, key)
        item.data = zlib.compress(to_json(_Shard(coins=tuple(sorted(qualities.items())))).encode())
        item.at = to_text(at)
        before = self._versions.get(key, 0)
        item.version = before + 1
        save_at_version(item, before, f"quality of shard {key}")
        self._versions[key] = before + 1


def _sort_key(shard: int) -> str:
    return f"{shard:02d}"


def _unpack(item: MarketDataItem) -> tuple[tuple[InstrumentId, CoinQuality], ...]:
    try:
        text = zlib.decompress(bytes(item.data or b"")).decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise CorruptRecord(f"does not decompress: {error}") from error
    return from_json(_Shard, text).coins
