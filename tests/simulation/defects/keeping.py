"""Defects in what is taken from signals, told to people, and kept of trades."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import functions.execute_signals.take as take
import shared.guard.ending as ending
import trading.execution.entries as entries
from shared.alerts import Alerts
from shared.storage.ledger import SignalState
from tests.simulation.defects.planting import Defect, planted
from tests.simulation.memory.ledger import MemoryLedger
from trading.model.alerts import Alert, AlertKind
from trading.model.positions import Position


def _expired_are_taken(_due: Any) -> Any:
    def waiting(desk: Any, report: Any) -> Any:
        stored = desk.ledger.signals_decided_since(desk.now - timedelta(hours=14), desk.now)
        new = [each.signal for each in stored if each.state is SignalState.NEW]
        return tuple(replace(each, expires_at=max(each.expires_at, desk.now + timedelta(hours=1))) for each in new)

    return waiting


def _no_expiry(_over: Any) -> Any:
    return lambda *_arguments: ""


def _topic_failure_ends_the_run(tell: Any) -> Any:
    def telling(alerts: Alerts, alert: Alert) -> bool:
        failed = alerts.failed
        told: bool = tell(alerts, alert)
        if alerts.failed > failed:
            raise RuntimeError("the topic does not answer")
        return told

    return telling


def _naked_is_not_told(tell: Any) -> Any:
    def telling(alerts: Alerts, alert: Alert) -> bool:
        return False if alert.kind is AlertKind.NAKED_POSITION else bool(tell(alerts, alert))

    return telling


def _fees_are_guessed(book: Any) -> Any:
    def booking(position: Position, rows: Any, now: datetime) -> Any:
        trade = book(position, rows, now)
        return replace(trade, fees=trade.fees * Decimal("0.5"), net=trade.net + trade.fees * Decimal("0.5"))

    return booking


def _trades_are_not_kept(close: Any) -> Any:
    def closing(ledger: MemoryLedger, position: Position, trade: Any, day: Any = None) -> None:
        ledger._tables.positions.pop(position.instrument, None)

    return closing


KEEPING: tuple[Defect, ...] = (
    Defect(
        name="signals of hours ago are traded",
        story="appendix B: stale event (6 h) traded",
        plant=planted((take, "_due_signals", _expired_are_taken), (entries, "_over", _no_expiry)),
        profiles=("outage", "swarm"),
    ),
    Defect(
        name="a topic that fails ends the trade path",
        story="appendix B: alert failure aborts the trade path",
        plant=planted((Alerts, "tell", _topic_failure_ends_the_run)),
        profiles=("storm", "swarm"),
    ),
    Defect(
        name="nobody is told of a naked position",
        story="Knight: 97 warnings that were no alerts",
        plant=planted((Alerts, "tell", _naked_is_not_told)),
        profiles=("human", "swarm"),
    ),
    Defect(
        name="fees are guessed",
        story="audited system: profit was shown where there was loss",
        plant=planted((ending, "book_trade", _fees_are_guessed)),
        profiles=("calm",),
    ),
    Defect(
        name="closed trades are not kept",
        story="audited system: trades without a row",
        plant=planted((MemoryLedger, "close_position", _trades_are_not_kept)),
        profiles=("calm",),
    ),
)
