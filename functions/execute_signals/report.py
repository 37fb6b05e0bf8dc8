"""What one run did, and what is added to the trace of a decision when something became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from shared.storage.decisions import StageRecord
from shared.trading_desk import TradingDesk
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.decisions import Outcome
from trading.model.positions import Position
from trading.model.risk import LimitCheck
from trading.model.signals import Signal
from trading.model.times import Timeframe


@dataclass(slots=True)
class ExecutionReport:
    """For the run record, the log and the response. `paused` names the first of the `pauses` that hold, `watched` the
    contracts whose entry waits for its level, `flat_stop` what the venue does with a stop while flat."""

    outcomes: Counter[str] = field(default_factory=Counter)
    limits: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    pauses: int = 0
    paused: tuple[str, ...] = ()
    watched: list[str] = field(default_factory=list)
    flat_stop: str = "The venue was not yet asked for a stop while flat."


def tell_failed(desk: TradingDesk, position: Position, text: str) -> None:
    desk.alerts.tell(
        Alert(
            kind=AlertKind.ORDER_FAILED,
            severity=Severity.WARNING,
            subject=position.id,
            title=f"{position.instrument}: entry not placed",
            text=text,
            at=desk.now,
        )
    )


def stage(
    desk: TradingDesk, origin: Signal | Position, outcome: Outcome, text: str, limits: tuple[LimitCheck, ...] = ()
) -> None:
    """Add to the decision's trace what became of it."""
    bar = origin.decision_bar if isinstance(origin, Signal) else Timeframe.H1.floor(origin.planned_at)
    record = StageRecord(
        instrument=origin.instrument,
        decision_bar=bar,
        outcome=outcome,
        sentence=text,
        at=desk.now,
        details=tuple((each.reason.value, f"{each.value} against {each.bound}") for each in limits),
    )
    desk.decisions.add_stage(record)
