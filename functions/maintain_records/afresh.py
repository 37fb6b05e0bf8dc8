"""Decides coins again whose newest decision is missing: by scoring's own pipeline, never to be traded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.storage.candle_index import LoadedSeries
from shared.storage.ledger import Ledger
from shared.storage.quality import QualityStore
from trading.model.decisions import Decision
from trading.model.instruments import Instrument, Universe
from trading.model.quality import CoinQuality
from trading.model.times import Timeframe
from trading.rules import Rules
from trading.strategy.decide import decide
from trading.strategy.snapshots import BarInputs, bar_inputs, remembered_from, too_late

DECISION = Timeframe.H1


@dataclass(frozen=True, slots=True, kw_only=True)
class Afresh:
    """What coins are decided with at one bar. There is no quote: that of the bar's time is gone, and the spread gate
    fails closed without one."""

    inputs: BarInputs
    candles: LoadedSeries
    rules: Rules

    def decide(self, instrument: Instrument) -> Decision:
        """The decision of this coin, marked as late. Raises TradingError when it cannot be decided."""
        closed = int(self.inputs.bar.timestamp())
        keys = [(instrument.id, timeframe) for timeframe in Timeframe]
        series = {key: self.candles.series[key].until(closed) for key in keys}
        return too_late(decide(self.inputs.snapshot(instrument, series, None), self.rules))


@dataclass(frozen=True, slots=True, kw_only=True)
class AfreshFrom:
    """The stores that `Afresh` is read from; read only when there is something to decide."""

    quality: QualityStore
    ledger: Ledger
    rules: Rules
    code_version: str

    def at(self, bar: datetime, universe: Universe, candles: LoadedSeries, now: datetime) -> Afresh:
        """`candles`: every coin's, as they are stored now."""
        known = self.quality.load()
        qualities = {each.id: known.get(each.id) or CoinQuality.new(now) for each in universe.instruments}
        earlier = self.ledger.signals_decided_since(remembered_from(bar, self.rules), bar - DECISION.length)
        signals = (stored.signal for stored in earlier)
        inputs = bar_inputs(bar, qualities, signals, self.code_version)
        return Afresh(inputs=inputs, candles=candles, rules=self.rules)
