"""Replays one coin hour by hour: the snapshot that scoring would have had, one decision each, and what became of it.

Higher timeframes are folded from the 15m bars, as ingest derives them; a coin's own recorded ones may stand before
them, as a new coin is bootstrapped from the exchange. What no record exists for is given and fixed:
the quote (spread and funding), the fees, and healthy candles. The tick is that of the local venue for such a price.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from infra.local.market.listings import list_coin
from infra.research.funnel_outcomes import Fate, Idea, Management, Terms, follow_entry, follow_position
from infra.research.funnel_records import PARTS, CandidateRow, CoinFunnel
from trading.model.candles import CandleSeries
from trading.model.costs import MarketConditions, round_trip_cost
from trading.model.decisions import Decision, Outcome
from trading.model.folding import fold, merged
from trading.model.instruments import Instrument, InstrumentId, MarginLevel, Tier
from trading.model.quality import QualityState
from trading.model.snapshots import Snapshot
from trading.model.times import Timeframe, from_epoch
from trading.model.units import BasisPoints, Quantity
from trading.rules import Rules
from trading.strategy.decide import decide
from trading.strategy.regime import is_consolidation
from trading.strategy.snapshots import remembered_from

DECISION = Timeframe.H1
VERSION = "funnel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What every decision of a replay takes as given. Fees in basis points of the notional."""

    market: MarketConditions
    maker_fee: BasisPoints
    taker_fee: BasisPoints


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Decision bars from `first` on, before `end` (seconds since 1970)."""

    first: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The bars of one coin: 15m, and its own bars of higher timeframes where they are to be used."""

    coin: str
    quarters: CandleSeries
    higher: tuple[CandleSeries, ...] = ()

    def whole(self, timeframe: Timeframe) -> CandleSeries:
        """Folded bars, and the coin's own where no folded one is."""
        series = fold(self.quarters, timeframe)
        for own in self.higher:
            series = merged(series, own) if own.timeframe is timeframe else series
        return series


class Hours:
    """The four series of a coin as they stood at a moment: the newest `kept` bars closed by then.

    Moments must not go back. A series is cut anew only when a bar has closed.
    """

    def __init__(self, bars: Recorded, kept: int) -> None:
        self._whole = [bars.whole(timeframe) for timeframe in Timeframe]
        self._kept = kept
        self._closed = [0] * len(self._whole)
        self._cut = [CandleSeries(timeframe) for timeframe in Timeframe]

    def at(self, moment: int) -> tuple[CandleSeries, ...]:
        """15m, 1h, 4h and 1d bars closed by `moment` (seconds since 1970)."""
        for place, series in enumerate(self._whole):
            closed, seconds = self._closed[place], series.timeframe.seconds
            while closed < len(series.times) and series.times[closed] + seconds <= moment:
                closed += 1
            if closed != self._closed[place]:
                columns = tuple(column[max(closed - self._kept, 0) : closed] for column in series.columns)
                self._cut[place] = CandleSeries.from_columns(series.timeframe, columns)
                self._closed[place] = closed
        return tuple(self._cut)


class Replay:
    """One coin: its bars, its given conditions, and the signals it has given so far."""

    def __init__(self, bars: Recorded, conditions: Conditions, rules: Rules) -> None:
        self._quarters, self._conditions, self._rules = bars.quarters, conditions, rules
        self._instrument = instrument_of(bars.coin, bars.quarters, conditions)
        self._hours = Hours(bars, rules.data.bars_kept)
        self._signals: list[tuple[str, datetime]] = []

    def decisions(self, period: Period) -> Iterator[Decision]:
        """One decision for every hour of the period in which the coin had a record, gaps included."""
        for moment in hours_of(self._quarters, period):
            decision = decide(self._snapshot(moment), self._rules)
            if decision.signal is not None:
                self._signals.append((decision.signal.structure_id, decision.decision_bar))
            yield decision

    def row(self, decision: Decision) -> CandidateRow:
        """The row of a decision that found a setup."""
        assert decision.setup is not None, "a candidate has a setup"
        assert decision.side is not None, "a candidate has a side"
        assert decision.alignment is not None, "a candidate stands somehow to the higher timeframes"
        failed = [gate.name for gate in decision.gates if not gate.passed]
        points = {part.name: part.points for part in decision.score_parts}
        cost = round_trip_cost(
            self._instrument, self._conditions.market, decision.side, decision.setup.regime, self._rules.cost
        )
        named = decision.outcome not in (Outcome.SIGNAL, Outcome.BELOW_THRESHOLD)
        return CandidateRow(
            at=int(decision.decision_bar.timestamp()),
            outcome=decision.outcome.value,
            failed_gate=failed[0] if named else "",
            failed_gates="|".join(failed),
            setup=decision.setup.value,
            side=decision.side.value,
            alignment=decision.alignment.value,
            structure=decision.structure[0],
            score=decision.score or 0,
            threshold=decision.threshold or 0,
            parts=tuple(points[name] for name in PARTS),
            cost_bps=float(cost),
            **self._outcome(decision, cost),
        )

    def _outcome(self, decision: Decision, cost: BasisPoints) -> dict[str, Any]:
        """The fields of a row that say what became of it."""
        known: dict[str, Any] = {
            "stop_bps": 0.0,
            "fate": "",
            "ending": "",
            "gross": 0.0,
            "managed_ending": "",
            "managed_gross": 0.0,
        }
        if decision.levels is None:
            return known
        extra = float(self._instrument.tick * self._rules.execution.break_even_extra_ticks)
        idea = Idea.of(decision.levels, int(decision.decision_bar.timestamp()), cost, extra)
        terms, exits = Terms.of(self._rules), self._rules.exits
        fate, at = follow_entry(idea, self._quarters, terms)
        known |= {"stop_bps": round(idea.risk / abs(idea.entry) * 10_000, 6), "fate": fate.value}
        if fate not in (Fate.FILLED, Fate.CROSSED):
            return known
        limits = {"time_exit": exits.time_exit, "maximum_hold": exits.maximum_hold}
        plain = Management(**limits, premise=False, break_even=False)
        whole = Management(**limits, premise=exits.premise, break_even=exits.break_even)
        for name, given in (("", plain), ("managed_", whole)):
            closed = follow_position(idea, self._quarters, at, terms, given)
            known |= {f"{name}ending": closed.ending.value, f"{name}gross": round(closed.gross, 9)}
        return known

    def _snapshot(self, moment: int) -> Snapshot:
        m15, h1, h4, d1 = self._hours.at(moment)
        bar = from_epoch(moment)
        since = remembered_from(bar, self._rules)
        recent = tuple(each for each in self._signals if each[1] >= since)
        return Snapshot(
            instrument=self._instrument,
            decision_bar=bar,
            m15=m15,
            h1=h1,
            h4=h4,
            d1=d1,
            market=self._conditions.market,
            last_signal_at=max((at for _, at in recent), default=None),
            used_structures=recent,
            quality=QualityState.HEALTHY,
            quality_reason="",
            healthy_share=1.0,
            code_version=VERSION,
        )


def replay(bars: Recorded, year: int, period: Period, conditions: Conditions, rules: Rules) -> CoinFunnel:
    """Every decision of the period counted, every candidate followed. `made_with` is left empty."""
    player = Replay(bars, conditions, rules)
    outcomes, unset, asked, failed = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    rows, moments, with_bias = [], [], 0
    for decision in player.decisions(period):
        moments.append(int(decision.decision_bar.timestamp()))
        outcomes[decision.outcome.value] += 1
        indicators = dict(decision.indicators)
        with_bias += "daily_average" in indicators
        asked.update(gate.name for gate in decision.gates)
        failed.update(gate.name for gate in decision.gates if not gate.passed)
        if decision.setup is not None:
            rows.append(player.row(decision))
        elif decision.outcome is Outcome.NO_SETUP:
            quiet = is_consolidation(None, indicators["adx"], rules.gates.adx_minimum)
            unset["consolidation" if quiet else "directional"] += 1
    return CoinFunnel(
        coin=bars.coin,
        year=year,
        made_with={},
        first=moments[0] if moments else 0,
        last=moments[-1] if moments else 0,
        outcomes=dict(outcomes),
        unset=dict(unset),
        with_daily_bias=with_bias,
        gates={name: (asked[name], failed[name]) for name in asked},
        rows=tuple(rows),
    )


def hours_of(quarters: CandleSeries, period: Period) -> range:
    """Close times of the 1h bars of the record that fall into the period, missing bars included."""
    if not quarters.times:
        return range(0)
    seconds = DECISION.seconds
    first = -(-(quarters.times[0] + seconds) // seconds) * seconds
    last = (quarters.times[-1] + quarters.timeframe.seconds) // seconds * seconds
    start = max(first, -(-period.first // seconds) * seconds)
    return range(start, min(last + 1, period.end), seconds)


def instrument_of(coin: str, quarters: CandleSeries, conditions: Conditions) -> Instrument:
    """The coin as the local venue would list it at its first recorded price; only tick and fees matter here."""
    listing = list_coin(coin, quarters.closes[0])
    return Instrument(
        id=InstrumentId(coin),
        spot_pair=listing.websocket_name,
        contract=listing.contract or "",
        tick=listing.tick_size,
        step=listing.size_step,
        minimum=Quantity(listing.size_step),
        maximum_position=Quantity(listing.size_step * 1_000_000),
        margin_levels=(MarginLevel(from_notional=Decimal(0), initial=Decimal("0.02"), maintenance=Decimal("0.01")),),
        maker_fee=conditions.maker_fee,
        taker_fee=conditions.taker_fee,
        tier=Tier.B,
    )
