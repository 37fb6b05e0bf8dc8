"""Decides coins again whose newest decision is missing: by scoring's own pipeline, never to be traded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.storage.candle_index import LoadedSeries
from shared.storage.ledger import Ledger
from shared.storage.quality import QualityStore
from trading.model.candles import CandleSeries
from trading.model.decisions import Decision, Outcome
from trading.model.instruments import Instrument, InstrumentId, Universe
from trading.model.quality import CoinQuality, QualityState
from trading.model.signals import Signal
from trading.model.snapshots import Snapshot
from trading.model.times import Timeframe
from trading.rules import Rules
from trading.strategy.decide import decide

DECISION = Timeframe.H1


@dataclass(frozen=True, slots=True, kw_only=True)
class Afresh:
    """What coins are decided with at one bar. There is no quote: that of the bar's time is gone, and the spread gate
    fails closed without one."""

    bar: datetime
    universe: Universe
    candles: LoadedSeries
    qualities: Mapping[InstrumentId, CoinQuality]
    signals: tuple[Signal, ...]
    rules: Rules
    code_version: str

    def decide(self, instrument: Instrument) -> Decision:
        """The decision of this coin, marked as late. Raises TradingError when it cannot be decided."""
        return late(decide(self._snapshot(instrument), self.rules))

    def _snapshot(self, instrument: Instrument) -> Snapshot:
        mine = [signal for signal in self.signals if signal.instrument == instrument.id]
        quality = self.qualities[instrument.id]
        healthy = sum(each.state is QualityState.HEALTHY for each in self.qualities.values())
        return Snapshot(
            instrument=instrument,
            decision_bar=self.bar,
            m15=self._series(instrument, Timeframe.M15),
            h1=self._series(instrument, Timeframe.H1),
            h4=self._series(instrument, Timeframe.H4),
            d1=self._series(instrument, Timeframe.D1),
            market=None,
            last_signal_at=max((signal.decision_bar for signal in mine), default=None),
            used_structures=tuple((signal.structure_id, signal.decision_bar) for signal in mine),
            quality=quality.state,
            quality_reason=quality.reason,
            healthy_share=healthy / len(self.universe),
            code_version=self.code_version,
        )

    def _series(self, instrument: Instrument, timeframe: Timeframe) -> CandleSeries:
        return self.candles.series[instrument.id, timeframe].until(int(self.bar.timestamp()))


@dataclass(frozen=True, slots=True, kw_only=True)
class AfreshFrom:
    """The stores that `Afresh` is read from; read only when there is something to decide."""

    quality: QualityStore
    ledger: Ledger
    rules: Rules
    code_version: str

    def at(self, bar: datetime, universe: Universe, candles: LoadedSeries, now: datetime) -> Afresh:
        """`candles`: every coin's, as they are stored now."""
        known, gates = self.quality.load(), self.rules.gates
        minutes = max(gates.cooldown_after_signal_minutes, gates.structure_reuse_minutes)
        earlier = self.ledger.signals_decided_since(bar - timedelta(minutes=minutes), bar - DECISION.length)
        return Afresh(
            bar=bar,
            universe=universe,
            candles=candles,
            qualities={each.id: known.get(each.id) or CoinQuality.new(now) for each in universe.instruments},
            signals=tuple(stored.signal for stored in earlier),
            rules=self.rules,
            code_version=self.code_version,
        )


def late(decision: Decision) -> Decision:
    """Marked in every outcome, and a signal is taken back, in the words of scoring: so it is replayed identically."""
    inputs = None if decision.inputs is None else replace(decision.inputs, late=True)
    if decision.outcome is not Outcome.SIGNAL:
        return replace(decision, inputs=inputs)
    sentence = f"Decided too late to be traded. {decision.sentence}"
    return replace(decision, outcome=Outcome.STALE_DATA, signal=None, sentence=sentence, inputs=inputs)
