"""Finds decisions that were never written, writes what can be said now, and says that it did."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from functions.maintain_records.day_books import DayReport, shown_yesterday
from functions.maintain_records.gaps import GapFilling, GapReport, fill_gaps
from shared.storage.control import ControlStore, RunRecord
from shared.storage.day_proofs import DayProofStore
from shared.storage.decisions import DecisionStore
from shared.storage.market_data import Coverage, MarketDataStore
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.decisions import Decision, Outcome
from trading.model.instruments import Instrument, Universe
from trading.model.times import Timeframe, from_text, to_text
from trading.ports import SpotMarket
from trading.rules import Rules

DECISION = Timeframe.H1
BARS_LOOKED_BACK = 24
"""After a longer standstill older holes are left: their traces would say nothing but that the system stood still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What maintenance reads and writes. `spot_for(calls)`: the spot market for one run with so many calls."""

    control: ControlStore
    market_data: MarketDataStore
    spot_for: Callable[[int], AbstractContextManager[SpotMarket]]
    decisions: DecisionStore
    rules: Rules
    code_version: str
    day_proofs: DayProofStore = field(default_factory=DayProofStore)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceReport:
    """`covers_from`: traces are guaranteed from this bar on; `watermark`: up to this one (close times)."""

    at: datetime
    covers_from: datetime
    watermark: datetime
    bars_checked: int
    expected: int
    written: tuple[Decision, ...]
    gaps: GapReport
    candles_refused: tuple[str, ...]
    day: DayReport

    @property
    def coverage_pct(self) -> float:
        """Share of the expected traces that were there before this run."""
        return 100 * (1 - len(self.written) / self.expected) if self.expected else 100.0

    def proof(self) -> dict[str, Any]:
        return {
            "covers_from": to_text(self.covers_from),
            "watermark": to_text(self.watermark),
            "bars_checked": self.bars_checked,
            "traces_expected": self.expected,
            "traces_written": len(self.written),
            "coverage_pct": round(self.coverage_pct, 2),
            "candle_gaps": sum(self.gaps.missing.values()),
            "gaps_filled": sum(self.gaps.filled.values()),
            "gaps_absent": self.gaps.absent,
            "gaps_failed": self.gaps.failed,
            "candles_refused": len(self.candles_refused),
            "day_proof": self.day.proof,
        }

    def alerts(self) -> tuple[Alert, ...]:
        """What was not as it should be and was repaired: nothing is repaired quietly."""
        told = (self._coverage_alert(), self.gaps.alert(self.at), self.day.alert(self.at))
        return tuple(alert for alert in told if alert is not None)

    def _coverage_alert(self) -> Alert | None:
        if not self.written:
            return None
        coins = sorted({decision.instrument for decision in self.written})
        return Alert(
            kind=AlertKind.COVERAGE,
            severity=Severity.WARNING,
            subject="decision traces",
            title=f"{len(self.written)} decisions were missing",
            text=f"{len(self.written)} of {self.expected} expected decisions had no trace; maintenance wrote them.",
            at=self.at,
            fields=(("coins", ", ".join(coins)), ("coverage", f"{self.coverage_pct:.1f} %")),
        )


def maintain(records: Records, now: datetime) -> MaintenanceReport:
    """One run. Repeating it is harmless: a decision is never overwritten."""
    stored = records.market_data.universe()
    universe = stored.universe if stored else Universe(instruments=())
    last = records.control.last_run("maintain_records")
    covers_from, due = _covers_from(last, now), _newest_due(records.rules, now)
    bars = _bars_to_check(last, covers_from, due)
    gaps, refused, coverage = _candles(records, universe, last, now)
    written: list[Decision] = []
    for bar in bars:
        missing = _missing(records, universe, bar, coverage)
        # A trace that scoring wrote meanwhile stays, and was not missing after all.
        if missing and records.decisions.add(missing):
            written += missing
    return MaintenanceReport(
        at=now,
        covers_from=covers_from,
        watermark=max(due, covers_from - DECISION.length),
        bars_checked=len(bars),
        expected=len(bars) * len(universe),
        written=tuple(written),
        gaps=gaps,
        candles_refused=refused,
        day=shown_yesterday(records.day_proofs, covers_from, now),
    )


def _newest_due(rules: Rules, now: datetime) -> datetime:
    """Close time of the newest bar that scoring can no longer turn into a signal: its trace must be there.

    Any newer bar is still scoring's own: a trace written too early would stand in the place of the real decision.
    """
    return DECISION.floor(now - timedelta(seconds=rules.data.decision_bar_late_after_s))


def _covers_from(last: RunRecord | None, now: datetime) -> datetime:
    """The first bar of the guarantee, kept from run to run. Before our first run there was no system to decide."""
    text = last.proof.get("covers_from") if last else None
    return from_text(text) if isinstance(text, str) else DECISION.floor(now)


def _bars_to_check(last: RunRecord | None, covers_from: datetime, due: datetime) -> tuple[datetime, ...]:
    """From the newest bar checked before (again: records can be lost later) to the newest due one."""
    text = last.proof.get("watermark") if last else None
    start = max(covers_from, from_text(text)) if isinstance(text, str) else covers_from
    start = max(start, due - (BARS_LOOKED_BACK - 1) * DECISION.length)
    return tuple(start + step * DECISION.length for step in range(max(0, (due - start) // DECISION.length + 1)))


def _candles(
    records: Records, universe: Universe, last: RunRecord | None, now: datetime
) -> tuple[GapReport, tuple[str, ...], Coverage | None]:
    """Gaps in the stored series and what became of them, unreadable blocks, and what is stored of 1h."""
    if not universe.instruments:
        return GapReport(), (), None
    loaded = records.market_data.load([each.id for each in universe.instruments], Timeframe, now)
    filling = GapFilling(spot_for=records.spot_for, market_data=records.market_data, now=now)
    gaps = fill_gaps(filling, universe, loaded, _known_absent(last))
    return gaps, tuple(loaded.refused.values()), records.market_data.coverage(now, (DECISION,))


def _known_absent(last: RunRecord | None) -> dict[str, int]:
    """Gaps that an earlier run found the exchange to have as well."""
    known = last.proof.get("gaps_absent") if last else None
    return {str(name): count for name, count in known.items()} if isinstance(known, dict) else {}


def _missing(records: Records, universe: Universe, bar: datetime, coverage: Coverage | None) -> tuple[Decision, ...]:
    decided = records.decisions.decided(bar)
    return tuple(
        _late_trace(records, instrument, bar, coverage)
        for instrument in universe.instruments
        if instrument.id not in decided
    )


def _late_trace(records: Records, instrument: Instrument, bar: datetime, coverage: Coverage | None) -> Decision:
    opened = int((bar - DECISION.length).timestamp())
    stored = coverage is not None and coverage.has((instrument.id, DECISION), opened)
    outcome = Outcome.STALE_DATA if stored else Outcome.NO_DATA
    why = "its candles came too late or scoring did not run" if stored else "no candle of that bar is stored"
    return Decision(
        instrument=instrument.id,
        decision_bar=bar,
        outcome=outcome,
        sentence=f"{instrument.id} was not decided at {to_text(bar)}: {why}; written by maintenance.",
        code_version=records.code_version,
        rules_fingerprint=records.rules.fingerprint,
        inputs_fingerprint="none",
    )
