"""What `decide` looks at for one coin: closed candles and a quote, nothing that could change while it thinks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trading.errors import InvalidInput
from trading.model.candles import CandleSeries
from trading.model.costs import MarketConditions
from trading.model.instruments import Instrument
from trading.model.quality import QualityState
from trading.model.times import Timeframe, require_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """`decision_bar` is the close time of the 1h bar to decide; every series holds only bars closed by then.

    `market` is None when the venue gave no quote; `last_signal_at` and `used_structures` (structure id, time)
    come from this coin's earlier decisions; `quality` says how far its candles are to be trusted, `healthy_share` (0 to
    1) how much of the universe is; `code_version` is stamped on the trace.
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
    quality: QualityState
    quality_reason: str
    healthy_share: float
    code_version: str

    def __post_init__(self) -> None:
        require_utc(self.decision_bar, "decision bar")
        if not 0 <= self.healthy_share <= 1:
            raise InvalidInput(f"the healthy share of the universe is {self.healthy_share}; expected 0 to 1")
        for series, timeframe in zip(self.series, Timeframe, strict=True):
            assert series.timeframe is timeframe, f"{series.timeframe} series stands where {timeframe} belongs"
            closed_at = series.closed_at
            assert closed_at is None or closed_at <= self.decision_bar, f"{timeframe} bar of the future: {closed_at}"

    @property
    def series(self) -> tuple[CandleSeries, CandleSeries, CandleSeries, CandleSeries]:
        return (self.m15, self.h1, self.h4, self.d1)
