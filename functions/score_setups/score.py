"""Decides every coin of the universe at the newest closed decision bar, writes every trace, and emits the signals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.alerts import Alerts
from shared.progress import REFETCH, SCORE, decided_until, ingested_until
from shared.storage.candle_index import LoadedSeries
from shared.storage.control import ControlStore
from shared.storage.decisions import DecisionStore, TraceListing
from shared.storage.ledger import Ledger
from shared.storage.market_data import MarketDataStore
from shared.storage.quality import QualityStore
from trading.errors import TradingError, VenueUnavailable
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.costs import MarketConditions
from trading.model.decisions import Decision
from trading.model.instruments import InstrumentId, Universe
from trading.model.quality import CoinQuality, QualityState
from trading.model.signals import Signal
from trading.model.snapshots import Snapshot
from trading.model.times import Timeframe, to_text
from trading.model.venue import Quote
from trading.ports import FuturesMarket
from trading.rules import Rules
from trading.strategy.decide import decide
from trading.strategy.snapshots import bar_inputs, remembered_from, too_late

DECISION = Timeframe.H1
SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """What scoring works with. `announce` tells execution about a signal that was recorded."""

    futures: FuturesMarket
    market: MarketDataStore
    quality: QualityStore
    decisions: DecisionStore
    ledger: Ledger
    control: ControlStore
    alerts: Alerts
    announce: Callable[[Signal], None]
    rules: Rules
    code_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReport:
    """Proof of a run. `scored_bar` is None when nothing was due; `decided_bar` is the newest with all its traces.

    `outcomes` counts decisions, `qualities` coins by the quality they were decided with.
    """

    scored_bar: datetime | None = None
    decided_bar: datetime | None = None
    coins: int = 0
    traces: int = 0
    signals: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    qualities: Mapping[QualityState, int] = field(default_factory=dict)

    @property
    def coverage_pct(self) -> float:
        return 100 * self.traces / self.coins if self.coins else 100.0

    def proof(self) -> dict[str, Any]:
        return {
            "scored_bar": to_text(self.scored_bar) if self.scored_bar else None,
            "decided_bar": to_text(self.decided_bar) if self.decided_bar else None,
            "coins": self.coins,
            "traces": self.traces,
            "signals": self.signals,
            "outcomes": dict(self.outcomes),
            "quality": {state.lower(): self.qualities.get(state, 0) for state in QualityState},
        }


def score_due(scoring: Scoring, now: datetime) -> ScoreReport:
    """One run: nothing but one read and one write unless the bars of a new decision bar are in."""
    runs = scoring.control.last_runs()
    bar, stored_until, decided = DECISION.floor(now), ingested_until(runs), decided_until(runs)
    report = ScoreReport(decided_bar=decided)
    ready = stored_until is not None and stored_until >= bar
    universe = scoring.market.universe() if ready and (decided is None or decided < bar) else None
    if universe is not None and universe.universe.instruments:
        report = _score(scoring, universe.universe, _Bar(bar=bar, now=now, decided=decided))
    scoring.control.record_run(SCORE, now, report.proof())
    return report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    bar: datetime
    now: datetime
    decided: datetime | None


def _score(scoring: Scoring, universe: Universe, due: _Bar) -> ScoreReport:
    late = due.now - due.bar > timedelta(seconds=scoring.rules.data.decision_bar_late_after_s)
    qualities = _qualities(scoring, universe, due.now)
    snapshots = _snapshots(scoring, universe, due, qualities)
    decided, failed = _decide_all(snapshots, scoring.rules)
    if late:
        decided = [too_late(decision) for decision in decided]
    # A decision is never overwritten: after a crash the first run's traces count, and so do their signals.
    everything_new = scoring.decisions.add(decided) == len(decided)
    fresh = TraceListing(decisions=tuple(decided), refused=())
    stored = fresh if everything_new else scoring.decisions.listing(due.bar)
    traces = _of(universe, stored.decisions)
    emitted = 0 if late else _emit(scoring, traces)
    complete = len(traces) == len(universe)
    if not complete:
        scoring.alerts.tell(_coverage_alert(failed, stored.refused, universe, due))
    return ScoreReport(
        scored_bar=due.bar,
        decided_bar=due.bar if complete or late else due.decided,
        coins=len(universe),
        traces=len(traces),
        signals=emitted,
        outcomes=Counter(sorted(decision.outcome.value for decision in traces)),
        qualities=Counter(quality.state for quality in qualities.values()),
    )


def _qualities(scoring: Scoring, universe: Universe, now: datetime) -> dict[InstrumentId, CoinQuality]:
    """The quality of every coin of the universe; one nothing is known about is healthy until it fails."""
    loaded = scoring.quality.load_all()
    if loaded.refused:
        scoring.alerts.tell(_quality_alert(loaded.refused, now))
    return {each.id: loaded.coins.get(each.id) or CoinQuality.new(now) for each in universe.instruments}


def _snapshots(
    scoring: Scoring, universe: Universe, due: _Bar, qualities: Mapping[InstrumentId, CoinQuality]
) -> list[Snapshot]:
    loaded = scoring.market.load([each.id for each in universe.instruments], Timeframe, due.bar)
    if loaded.refused:
        _report_refused(scoring, loaded, due.now)
    quotes = _quotes(scoring)
    # This bar's own signals are left out: a run that was repeated must decide as the first one did.
    earlier = scoring.ledger.signals_decided_since(remembered_from(due.bar, scoring.rules), due.bar - DECISION.length)
    inputs = bar_inputs(due.bar, qualities, (stored.signal for stored in earlier), scoring.code_version)
    return [
        inputs.snapshot(instrument, loaded.series, _conditions(quotes.get(instrument.contract)))
        for instrument in universe.instruments
    ]


def _quotes(scoring: Scoring) -> dict[str, Quote]:
    """Without quotes the coins are decided all the same: the spread gate fails closed and the trace says so."""
    try:
        return scoring.futures.quotes()
    except VenueUnavailable:
        return {}


def _conditions(quote: Quote | None) -> MarketConditions | None:
    """None unless the venue said all of it: what is missing would make the trade look cheaper than it is."""
    if quote is None or quote.suspended or quote.spread is None or quote.spread < 0 or quote.hourly_funding is None:
        return None
    return MarketConditions(spread=quote.spread, hourly_funding=quote.hourly_funding)


def _decide_all(snapshots: Sequence[Snapshot], rules: Rules) -> tuple[list[Decision], dict[InstrumentId, str]]:
    """Every decision, and the coins that could not be decided: one bad coin must not silence the others."""
    decided: list[Decision] = []
    failed: dict[InstrumentId, str] = {}
    for snapshot in snapshots:
        try:
            decided.append(decide(snapshot, rules))
        except TradingError as error:
            failed[snapshot.instrument.id] = f"{type(error).__name__}: {error}"
    return decided, failed


def _of(universe: Universe, traces: Sequence[Decision]) -> list[Decision]:
    ids = {instrument.id for instrument in universe.instruments}
    return [trace for trace in traces if trace.instrument in ids]


def _emit(scoring: Scoring, traces: Sequence[Decision]) -> int:
    """Record each signal once and announce it; returns how many this run recorded."""
    signals = [trace.signal for trace in traces if trace.signal is not None]
    new = [signal for signal in signals if scoring.ledger.add_signal(signal)]
    for signal in new:
        scoring.announce(signal)
    return len(new)


def _report_refused(scoring: Scoring, loaded: LoadedSeries, now: datetime) -> None:
    coins = sorted({instrument for instrument, _ in loaded.refused})
    for coin in coins:
        scoring.control.first_observed(REFETCH + coin, now)
    scoring.alerts.tell(
        Alert(
            kind=AlertKind.STALE_DATA,
            severity=Severity.WARNING,
            subject="stored candles",
            title=f"Stored candles of {len(coins)} coins do not decode",
            text=f"They are fetched again: {', '.join(coins[:SHOWN])}.",
            at=now,
            fields=tuple((key[0], why) for key, why in sorted(loaded.refused.items())[:SHOWN]),
        )
    )


def _coverage_alert(failed: Mapping[InstrumentId, str], refused: Sequence[str], universe: Universe, due: _Bar) -> Alert:
    """Coins without a decision, and coins whose stored trace of this bar this code cannot read."""
    coins = sorted(failed)
    unreadable = tuple(("unreadable", why) for why in refused[:SHOWN])
    return Alert(
        kind=AlertKind.COVERAGE,
        severity=Severity.WARNING,
        subject=f"decision bar {to_text(due.bar)}",
        title=f"{len(coins) + len(refused)} of {len(universe)} coins were not decided",
        text=f"No decision at {to_text(due.bar)} for {', '.join(coins[:SHOWN]) or 'coins with unreadable traces'}.",
        at=due.now,
        fields=tuple((coin, failed[coin]) for coin in coins[:SHOWN]) + unreadable,
    )


def _quality_alert(refused: Sequence[str], now: datetime) -> Alert:
    return Alert(
        kind=AlertKind.STALE_DATA,
        severity=Severity.WARNING,
        subject="stored quality",
        title=f"The stored quality of {len(refused)} shards does not decode",
        text=f"Their coins count as healthy until ingest has looked at them again: {'; '.join(refused[:SHOWN])}.",
        at=now,
    )
