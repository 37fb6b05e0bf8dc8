"""Bars of the futures venue's index for coins whose spot market gives none: better than blindness for open positions.

They only stand in: coins that live on them are not healthy and get no entries, and the exchange's own bars replace
them as soon as it gives them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from shared.storage.candle_index import Coverage, SeriesKey
from trading.errors import VenueUnavailable
from trading.model.candles import CandleSeries
from trading.model.folding import fold, merged, newest_closed, since
from trading.model.instruments import Instrument
from trading.model.times import Timeframe, from_epoch
from trading.ports import IndexCandles

BUDGET_S = 10.0
"""After the run's own time: the function may not outlive its time limit for coins that get no entries anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitution:
    """`close`: the close that the bars are wanted for; `due`: the timeframes of it."""

    index: IndexCandles
    coverage: Coverage
    close: datetime
    due: tuple[Timeframe, ...]
    found: dict[SeriesKey, CandleSeries] = field(default_factory=dict)

    def take(self, coins: Iterable[Instrument]) -> dict[SeriesKey, CandleSeries]:
        """Substitutes by series. Ends quietly when the futures venue does not answer either: the report says who."""
        until = time.monotonic() + BUDGET_S
        for coin in coins:
            if not self.coverage.index.has_blocks(coin.id) or time.monotonic() > until:
                continue
            try:
                self._take(coin)
            except VenueUnavailable:
                break
        return {key: series for key, series in self.found.items() if series}

    def _take(self, coin: Instrument) -> None:
        shown = self.coverage.shown((coin.id, Timeframe.M15))
        if newest_closed(self.close, Timeframe.M15) in shown.times:
            return
        bars = self.found[coin.id, Timeframe.M15] = self._index(coin, Timeframe.M15)
        known = merged(shown, bars)
        for timeframe in self.due:
            if timeframe is not Timeframe.M15:
                self.found[coin.id, timeframe] = self._higher(coin, timeframe, known)

    def _higher(self, coin: Instrument, timeframe: Timeframe, bars_15m: CandleSeries) -> CandleSeries:
        derived = since(fold(bars_15m, timeframe), self.coverage.first_missing((coin.id, timeframe)))
        if newest_closed(self.close, timeframe) in derived.times:
            return derived
        return merged(derived, self._index(coin, timeframe))

    def _index(self, coin: Instrument, timeframe: Timeframe) -> CandleSeries:
        first = from_epoch(self.coverage.first_missing((coin.id, timeframe)))
        answer = self.index.index_candles(coin.contract, timeframe, first)
        return answer.bars.until(int(self.close.timestamp()))
