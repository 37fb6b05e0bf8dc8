"""Says what a rule has done to a position: an alert for people, a record in the trace of the decision behind it."""

from __future__ import annotations

from shared.failures import FAILURES
from shared.storage.decisions import StageRecord
from shared.trading_desk import TradingDesk
from trading.exits.case import MoveStop
from trading.exits.registry import ExitVerdict
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.decisions import Outcome
from trading.model.orders import Purpose
from trading.model.positions import Position
from trading.model.times import Timeframe


def explain(desk: TradingDesk, before: Position, after: Position, verdict: ExitVerdict, failures: list[str]) -> None:
    """After the orders: neither an alert nor a trace may make them late, or keep the next position from its own."""
    action, rule = verdict.action, verdict.fired
    assert action is not None, "only what has fired is explained"
    assert rule is not None, "what has fired has a name"
    desk.alerts.tell(_alert(desk, before, rule, action.why))
    moved = isinstance(action, MoveStop)
    record = StageRecord(
        instrument=before.instrument,
        decision_bar=Timeframe.H1.floor(before.planned_at),
        outcome=Outcome.STOP_MOVED if moved else Outcome.EXIT,
        sentence=f"{before.instrument} {before.side}: {rule}, {action.why}. {_done(before, after, moved=moved)}",
        at=desk.now,
        details=verdict.details,
        rule=rule,
    )
    try:
        desk.decisions.add_stage(record)
    except FAILURES as error:
        failures.append(f"trace of {before.instrument}: {error}")


def _done(before: Position, after: Position, *, moved: bool) -> str:
    order = after.intent(Purpose.STOP if moved else Purpose.EXIT)
    state = "not sent" if order is None or order in before.intents else order.state
    if moved:
        return f"Stop moved from {before.stop} to {after.stop}: the new order is {state}."
    return f"{before.quantity} closed at the market: the order is {state}."


def _alert(desk: TradingDesk, position: Position, rule: str, why: str) -> Alert:
    return Alert(
        kind=AlertKind.POSITION_ADJUSTED,
        severity=Severity.INFO,
        subject=f"{position.id}:{rule}",
        title=f"{position.instrument} {position.side}: {rule}",
        text=why,
        at=desk.now,
    )
