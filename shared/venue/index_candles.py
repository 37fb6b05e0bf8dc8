"""Candles of `/api/charts/v1` (contract, section 6): their body, and what of it is surely closed."""

from __future__ import annotations

from pydantic import Field

from shared.venue.reading import Answer
from shared.venue.wire_types import Body, PositiveNumber
from trading.errors import InvalidInput
from trading.model import folding
from trading.model.candles import Candle, CandleAnswer, CandleSeries
from trading.model.times import Timeframe


class IndexCandleRow(Body):
    """`time` is the bar's open in milliseconds since 1970."""

    time: int
    open: PositiveNumber
    high: PositiveNumber
    low: PositiveNumber
    close: PositiveNumber


class IndexCandlesAnswer(Answer):
    """`more_candles`: the venue cut the answer, at 2000 rows."""

    required_key = "candles"
    candles: list[IndexCandleRow]
    more_candles: bool = Field(alias="more_candles")


def closed_index_bars(timeframe: Timeframe, answer: IndexCandlesAnswer, first: int) -> CandleAnswer:
    """The bars of a request from `first` (on the grid) that are surely closed. Raises InvalidInput for rows off the
    grid or out of order.

    Nothing marks the running bar, so the last one counts as running, unless the venue says that there are more and the
    first one is there: then the answer was cut behind the last. Cut elsewhere, nothing is known to be missing for good.
    """
    rows = folding.since(CandleSeries(timeframe, map(_index_candle, answer.candles)), first)
    if not rows:
        return CandleAnswer(bars=rows, complete_before=first)
    last = rows.times[-1]
    if not answer.more_candles:
        return CandleAnswer(bars=rows.until(last), complete_before=last)
    if rows.times[0] == first:
        return CandleAnswer(bars=rows, complete_before=last + timeframe.seconds)
    return CandleAnswer(bars=rows.until(last), complete_before=first)


def _index_candle(row: IndexCandleRow) -> Candle:
    """Nothing is traded in an index: whatever the venue writes as its volume is no coins."""
    seconds, rest = divmod(row.time, 1000)
    if rest:
        raise InvalidInput(f"candle opens at {row.time} ms; expected whole seconds")
    return Candle(
        open_time=seconds,
        open=float(row.open),
        high=float(row.high),
        low=float(row.low),
        close=float(row.close),
        volume=0.0,
    )
