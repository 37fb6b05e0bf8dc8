"""The futures venue's index candles in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from trading.errors import VenueUnavailable
from trading.model import folding
from trading.model.candles import CandleAnswer, CandleSeries
from trading.model.times import Timeframe


@dataclass(slots=True)
class IndexInMemory:
    """`history` holds 15m bars by contract; `down` answers nothing; `calls` are the contracts asked for."""

    history: Mapping[str, CandleSeries] = field(default_factory=dict)
    down: bool = False
    calls: list[str] = field(default_factory=list)

    def index_candles(self, contract: str, timeframe: Timeframe, since: datetime) -> CandleAnswer:
        self.calls.append(contract)
        if self.down or contract not in self.history:
            raise VenueUnavailable(f"the index of {contract} does not answer")
        whole = self.history[contract]
        bars = whole if timeframe is Timeframe.M15 else folding.fold(whole, timeframe)
        wanted = folding.since(bars, int(since.timestamp()))
        return CandleAnswer(bars=wanted, complete_before=wanted.times[-1] + timeframe.seconds if wanted else 0)
