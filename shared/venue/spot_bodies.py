"""Bodies of the spot `/0/public` API (contract, section 12)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.venue.wire_types import Body, NotNegative, OptionalText, PositiveNumber, Text


class SpotAnswer(Body):
    """`error` lists refusals (`E...`) and warnings (`W...`); `result` is there when nothing was refused."""

    error: list[str]
    result: dict[str, object]


class AssetPairRow(Body):
    """`base` and `quote` are Kraken's own asset names (`XXBT`, `ZUSD`)."""

    altname: Text
    base: Text
    quote: Text
    status: OptionalText = None


class SpotTickerRow(Body):
    """Ask and bid as `[price, whole lots, lots]`; 0 when the book is empty."""

    a: Annotated[list[NotNegative], Field(min_length=1)]
    b: Annotated[list[NotNegative], Field(min_length=1)]


class OhlcRow(Body):
    """One bar, made from the wire's `[time, open, high, low, close, vwap, volume, count]`."""

    time: int
    open: PositiveNumber
    high: PositiveNumber
    low: PositiveNumber
    close: PositiveNumber
    volume: NotNegative


class OhlcResult(Body):
    """`last` is the open time of the newest committed bar."""

    rows: list[OhlcRow]
    last: Annotated[int, Field(ge=0)]


class TradeRow(Body):
    """One trade, made from the wire's `[price, volume, time, side, type, misc, id]`; time in seconds with fractions."""

    price: PositiveNumber
    volume: NotNegative
    time: PositiveNumber


class TradesResult(Body):
    """`last` (nanoseconds since 1970, as text) is the `since` of the next page."""

    rows: list[TradeRow]
    last: Annotated[int, Field(ge=0)]
