"""Signals of the last hours of which none became an order, and nobody wrote down why: execution stands still."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.storage.decisions import DecisionStore
from shared.storage.ledger import Ledger, SignalState, StoredSignal
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.decisions import Outcome
from trading.model.instruments import InstrumentId
from trading.model.times import to_text

LOOKED_BACK = timedelta(hours=6)
"""A signal lives for an hour or less: six hours show a standstill that one quiet hour would hide."""
REASONS = (Outcome.RISK_REFUSED, Outcome.NOT_ALLOCATED, Outcome.FAILED)
SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StandstillReport:
    """What became of the signals of the last LOOKED_BACK. `reasons` by outcome; `waiting` may still become orders;
    `unexplained`: over, no order, and no reason on record."""

    signals: int
    ordered: int
    reasons: Counter[Outcome]
    waiting: int
    unexplained: tuple[StoredSignal, ...]

    def proof(self) -> dict[str, Any]:
        return {
            "signals": self.signals,
            "ordered": self.ordered,
            "reasons": {str(name): count for name, count in sorted(self.reasons.items())},
            "waiting": self.waiting,
            "unexplained": [each.signal.id for each in self.unexplained[:SHOWN]],
        }

    def alert(self, now: datetime) -> Alert | None:
        """Told by every run while it holds: one of them may die before it tells."""
        if self.ordered or not self.unexplained:
            return None
        reasons = ", ".join(f"{count} {name}" for name, count in sorted(self.reasons.items())) or "none"
        hours = int(LOOKED_BACK.total_seconds() // 3600)
        return Alert(
            kind=AlertKind.SIGNALS_WITHOUT_ORDERS,
            severity=Severity.WARNING,
            subject="signals without orders",
            title=f"{self.signals} signals, no order",
            text=f"None of the {self.signals} signals of the last {hours} hours became an order, and for "
            f"{len(self.unexplained)} of them no reason is on record. Reasons of the others: {reasons}.",
            at=now,
            fields=tuple(
                (each.signal.instrument, f"{to_text(each.signal.decision_bar)} {each.state}")
                for each in self.unexplained[:SHOWN]
            ),
        )


def look_for_standstill(ledger: Ledger, decisions: DecisionStore, now: datetime) -> StandstillReport:
    """One query an hour that is looked back, and one for each bar with signals."""
    signals = ledger.signals_decided_since(now - LOOKED_BACK, now)
    stages = _stages(decisions, {each.signal.decision_bar for each in signals})
    reasons: Counter[Outcome] = Counter()
    ordered = waiting = 0
    unexplained = []
    for each in signals:
        found = stages.get((each.signal.instrument, each.signal.decision_bar), frozenset())
        reason = next((outcome for outcome in REASONS if outcome in found), None)
        if Outcome.SENT in found:
            ordered += 1
        elif reason is not None:
            reasons[reason] += 1
        elif each.state is SignalState.TAKEN:
            # The plan is on record with its orders; what they come to is written when they do.
            ordered += 1
        elif each.signal.expires_at > now:
            waiting += 1
        else:
            unexplained.append(each)
    return StandstillReport(
        signals=len(signals), ordered=ordered, reasons=reasons, waiting=waiting, unexplained=tuple(unexplained)
    )


def _stages(decisions: DecisionStore, bars: set[datetime]) -> dict[tuple[InstrumentId, datetime], frozenset[Outcome]]:
    found: dict[tuple[InstrumentId, datetime], frozenset[Outcome]] = {}
    for bar in sorted(bars):
        for stage in decisions.stages(bar):
            key = (stage.instrument, bar)
            found[key] = found.get(key, frozenset()) | {stage.outcome}
    return found
