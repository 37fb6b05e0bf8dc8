"""How far a backfill from trades has come, kept beside the history, so that an interrupted one goes on there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pynamodb.exceptions import DoesNotExist

from infra.research.trade_bars import NANOSECONDS, TRADED, Built, OpenBar
from shared.storage.codec import from_json, to_json
from shared.storage.packing import pack_block, unpack_block
from shared.storage.tables import MarketDataItem, bind, save_at_version
from trading.errors import CorruptRecord, InvalidInput, StoreConflict
from trading.model.candles import CandleSeries
from trading.model.instruments import InstrumentId
from trading.model.times import from_epoch
from trading.model.venue import Trade

PARTITION = "HISTORY#TRADES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """`next_since` asks for the next page; `newest` is the last trade read; counts are of all runs together."""

    next_since: int
    newest: Trade | None = None
    open_bar: OpenBar | None = None
    pages: int = 0
    trades: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeProgress:
    """`bars`: those of the day that is not over yet, because its longer bars need all of them.

    `version` counts the writes, 0 before the first. `defect`: why a stored progress could not be read; it begins anew.
    """

    reached: Reached
    bars: CandleSeries
    version: int = 0
    defect: str = ""

    @property
    def built(self) -> Built:
        return Built(self.bars, self.reached.open_bar)

    @property
    def at(self) -> datetime:
        """Up to when trades were read."""
        return from_epoch(self.reached.next_since // NANOSECONDS)


class TradeProgressStore:
    """Progress by coin and first day, in a MarketData table. Reads are strong, writes conditional."""

    def __init__(self, table_name: str) -> None:
        self._item = bind(MarketDataItem, table_name)

    def load(self, coin: InstrumentId, start: datetime) -> TradeProgress:
        """Where the next run goes on: at `start` when there was none, or when its record does not decode."""
        # One nanosecond before: the venue answers what is after a moment, and a trade at midnight belongs to the day.
        begin = Reached(next_since=int(start.timestamp()) * NANOSECONDS - 1)
        try:
            item = self._item.get(PARTITION, _name(coin, start), consistent_read=True)
        except DoesNotExist:
            return TradeProgress(reached=begin, bars=CandleSeries(TRADED))
        version = int(item.version or 0)
        try:
            reached, bars = from_json(Reached, item.body or ""), unpack_block(item.data or b"")
        except CorruptRecord as error:
            return TradeProgress(reached=begin, bars=CandleSeries(TRADED), version=version, defect=str(error))
        return TradeProgress(reached=reached, bars=bars, version=version)

    def save(self, coin: InstrumentId, start: datetime, progress: TradeProgress) -> None:
        """Write over the version before. Raises InvalidInput when another run of the same backfill was faster."""
        item = self._item(PARTITION, _name(coin, start))
        item.body, item.data = to_json(progress.reached), pack_block(progress.bars)
        item.version = progress.version
        try:
            save_at_version(item, progress.version - 1, f"progress of {item.sk}")
        except StoreConflict:
            # A write whose answer was lost is sent again by the client and then meets itself.
            stored = self._item.get(item.pk, item.sk, consistent_read=True)
            if (stored.version, stored.body, stored.data) != (item.version, item.body, item.data):
                raise InvalidInput(
                    f"another backfill of {coin} from {start:%Y-%m-%d} is running on this table; "
                    "expected this one alone"
                ) from None


def _name(coin: InstrumentId, start: datetime) -> str:
    return f"{coin}#{start:%Y-%m-%d}"
