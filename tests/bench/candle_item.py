"""The usual way to keep candles in DynamoDB, to be measured against: one item per candle, read with a Query.

Two spellings of the same item. `CandleItem` is written as this project writes its others: text keys, ISO times, an
expiry (without one such a table only grows). `LeanCandleItem` leaves out all that can be left out.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.models import Model

from shared.storage.candle_index import SeriesKey
from trading.model.candles import Candle, CandleSeries
from trading.model.times import Timeframe, from_epoch, from_text, to_text

KEPT = timedelta(days=730)


class _Prices(Model):
    open = NumberAttribute()
    high = NumberAttribute()
    low = NumberAttribute()
    close = NumberAttribute()
    volume = NumberAttribute()


class CandleItem(_Prices):
    class Meta:
        table_name = "bench-candles"
        billing_mode = "PAY_PER_REQUEST"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    expires_at = TTLAttribute()


class LeanCandleItem(_Prices):
    class Meta:
        table_name = "bench-lean-candles"
        billing_mode = "PAY_PER_REQUEST"

    pk = UnicodeAttribute(hash_key=True)
    sk = NumberAttribute(range_key=True)


def candle_items(key: SeriesKey, series: CandleSeries) -> list[CandleItem]:
    items = []
    for row in zip(*series.columns, strict=True):
        opened = from_epoch(int(row[0]))
        items.append(CandleItem(_partition(key), to_text(opened), expires_at=opened + KEPT, **_values(row)))
    return items


def lean_items(key: SeriesKey, series: CandleSeries) -> list[LeanCandleItem]:
    rows = zip(*series.columns, strict=True)
    return [LeanCandleItem(f"{key[0]}#{key[1].value}", int(row[0]), **_values(row)) for row in rows]


def load_items(key: SeriesKey, count: int) -> CandleSeries:
    """The newest `count` bars of one series, by one Query (DynamoDB may answer in pages)."""
    newest_first = CandleItem.query(_partition(key), consistent_read=True, scan_index_forward=False, limit=count)
    candles = [
        Candle(
            open_time=int(from_text(item.sk).timestamp()),
            open=float(item.open),
            high=float(item.high),
            low=float(item.low),
            close=float(item.close),
            volume=float(item.volume),
        )
        for item in newest_first
    ]
    return CandleSeries(Timeframe(key[1]), reversed(candles))


def _partition(key: SeriesKey) -> str:
    return f"CANDLES#{key[0]}#{key[1].value}"


def _values(row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(("open", "high", "low", "close", "volume"), row[1:], strict=True))
