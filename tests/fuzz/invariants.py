"""What holds for every value that came out of a mutated text, whatever it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tests.fuzz.corpus import require
from trading.model.candles import CandleAnswer, CandleSeries
from trading.model.instruments import Side
from trading.model.orders import OrderSide
from trading.model.units import Price, Quantity
from trading.model.venue import Fill, ListedContract, OpenOrder, Quote, SpotQuote, TradePage, VenuePosition


def require_sound(value: object, where: str = "value") -> None:
    """Every number finite, every price above zero, every time aware and in UTC, down to the last field."""
    if isinstance(value, Decimal):
        _require_number(value, where)
    elif isinstance(value, float):
        require(math.isfinite(value), f"{where} is {value}")
    elif isinstance(value, datetime):
        require(value.utcoffset() == timedelta(0), f"{where} is {value!r}, which is not in UTC")
    elif isinstance(value, CandleSeries):
        _require_series(value, where)
    elif is_dataclass(value):
        _require_record(value, where)
    elif isinstance(value, Mapping):
        require_sound(list(value.items()), where)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for index, each in enumerate(value):
            require_sound(each, f"{where}[{index}]")


def _require_number(value: Decimal, where: str) -> None:
    require(value.is_finite(), f"{where} is {value}")
    require(not isinstance(value, Price) or value > 0, f"{where} is a price of {value}")
    require(not isinstance(value, Quantity) or value >= 0, f"{where} is a quantity of {value}")


def _require_series(series: CandleSeries, where: str) -> None:
    times = series.times
    require(all(first < second for first, second in pairwise(times)), f"{where}: times fall")
    require(all(time % series.timeframe.seconds == 0 for time in times), f"{where}: a bar off the grid")
    for index in range(len(series)):
        require_sound(series[index], f"{where}[{index}]")  # a candle checks itself when it is made


def _require_record(value: object, where: str) -> None:
    for each in fields(value):  # type: ignore[arg-type]
        require_sound(getattr(value, each.name), f"{where}.{each.name}")
    for kind, check in _RECORDS.items():
        if isinstance(value, kind):
            require(check(value), f"{where} is {value!r}"[:300])


def _contract(value: ListedContract) -> bool:
    return value.tick > 0 and value.step > 0 and bool(value.margin_levels) and value.contract == value.contract.upper()


def _quote(value: Quote) -> bool:
    return value.bid is None or value.ask is None or value.bid <= value.ask


def _candles(value: CandleAnswer) -> bool:
    """What is not complete yet is never among the bars."""
    return not value.bars or value.bars.times[-1] < value.complete_before


_RECORDS: dict[type, Callable[[Any], bool]] = {
    ListedContract: _contract,
    Quote: _quote,
    SpotQuote: lambda value: value.bid > 0 and value.ask > 0,
    VenuePosition: lambda value: isinstance(value.side, Side) and value.quantity > 0,
    OpenOrder: lambda value: isinstance(value.side, OrderSide),
    Fill: lambda value: isinstance(value.side, OrderSide) and value.quantity > 0,
    CandleAnswer: _candles,
    TradePage: lambda value: list(value.trades) == sorted(value.trades, key=lambda each: each.at),
}
