"""What `decide` looks at for one coin: closed candles and a quote, nothing that could change while it thinks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trading.model.candles import CandleSeries
from trading.model.costs import MarketConditions
from trading.model.instruments import Instrument
from trading.model.times import Timeframe, require_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """`decision_bar` is the close time of the 1h bar to decide; every series holds only bars closed by then.

    `market` is None when the venue gave no quote; `last_signal_at` and `used_structures` (structure id, time)
    come from this coin's earlier decisions; `code_version` is stamped on the trace.
    """

    instrument: Instrument
    decision_bar: datetime
    m15: CandleSeries
    h1: CandleSeries
    h4: CandleSeries
    d1: CandleSeries
    market: MarketConditions | None
    last_signal_at: datetime | None
    used_structures: tuple[tuple[str, datetime], ...]
    code_version: str

    def __post_init__(self) -> None:
        require_utc(self.decision_bar, "decision bar")
        for series, timeframe in zip(self.series, Timeframe, strict=True):
            assert series.timeframe is timeframe, f"{series.timeframe} series stands where {timeframe} belongs"
            closed_at = series.closed_at
            assert closed_at is None or closed_at <= self.decision_bar, f"{timeframe} bar of the future: {closed_at}"

    @property
    def series(self) -> tuple[CandleSeries, CandleSeries, CandleSeries, CandleSeries]:
        return (self.m15, self.h1, self.h4, self.d1)
