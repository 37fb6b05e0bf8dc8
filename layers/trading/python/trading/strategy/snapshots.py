"""What the coins of one decision bar are decided with, put together once for all of them; and the mark of lateness.

Scoring decides a bar when it closes; maintenance decides afresh what was lost of it. Both go through here, so that a
decision made again is made from the same things.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trading.model.candles import CandleSeries
from trading.model.costs import MarketConditions
from trading.model.decisions import Decision, Outcome
from trading.model.instruments import Instrument, InstrumentId
from trading.model.quality import CoinQuality, QualityState
from trading.model.signals import Signal
from trading.model.snapshots import Snapshot
from trading.model.times import Timeframe
from trading.rules import Rules

SeriesOf = Mapping[tuple[InstrumentId, Timeframe], CandleSeries]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarInputs:
    """`qualities` of every coin of the universe; `history`: earlier signals by coin; `healthy_share` from 0 to 1."""

    bar: datetime
    qualities: Mapping[InstrumentId, CoinQuality]
    history: Mapping[InstrumentId, Sequence[Signal]]
    healthy_share: float
    code_version: str

    def snapshot(self, instrument: Instrument, series: SeriesOf, market: MarketConditions | None) -> Snapshot:
        """`series`: the coin's bars of every timeframe, none of which is closed after the decision bar."""
        earlier, quality = self.history.get(instrument.id, ()), self.qualities[instrument.id]
        return Snapshot(
            instrument=instrument,
            decision_bar=self.bar,
            m15=series[instrument.id, Timeframe.M15],
            h1=series[instrument.id, Timeframe.H1],
            h4=series[instrument.id, Timeframe.H4],
            d1=series[instrument.id, Timeframe.D1],
            market=market,
            last_signal_at=max((signal.decision_bar for signal in earlier), default=None),
            used_structures=tuple((signal.structure_id, signal.decision_bar) for signal in earlier),
            quality=quality.state,
            quality_reason=quality.reason,
            healthy_share=self.healthy_share,
            code_version=self.code_version,
        )


def bar_inputs(
    bar: datetime, qualities: Mapping[InstrumentId, CoinQuality], signals: Iterable[Signal], code_version: str
) -> BarInputs:
    """`signals` of earlier bars, oldest first, from `remembered_from` on."""
    history: dict[InstrumentId, list[Signal]] = {}
    for signal in signals:
        history.setdefault(signal.instrument, []).append(signal)
    healthy = sum(each.state is QualityState.HEALTHY for each in qualities.values())
    return BarInputs(
        bar=bar,
        qualities=qualities,
        history=history,
        healthy_share=healthy / len(qualities) if qualities else 0.0,
        code_version=code_version,
    )


def remembered_from(bar: datetime, rules: Rules) -> datetime:
    """The oldest decision bar whose signals a cooldown or the reuse of a structure may still look at."""
    return bar - timedelta(minutes=max(rules.gates.cooldown_after_signal_minutes, rules.gates.structure_reuse_minutes))


def too_late(decision: Decision) -> Decision:
    """The decision marked as made too late to be traded; a signal is taken back, because the price has moved on."""
    inputs = None if decision.inputs is None else replace(decision.inputs, late=True)
    if decision.outcome is not Outcome.SIGNAL:
        return replace(decision, inputs=inputs)
    sentence = f"Decided too late to be traded. {decision.sentence}"
    return replace(decision, outcome=Outcome.STALE_DATA, signal=None, sentence=sentence, inputs=inputs)
