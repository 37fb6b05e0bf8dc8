"""Evaluate every exit rule for every open position, whatever the state of its coin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from shared.failures import FAILURES, VENUE_FAILURES
from shared.trading_desk import TradingDesk
from trading.execution.protection import protective_steps
from trading.exits.registry import Close, ExitCase, MoveStop, decide_exit
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.instruments import InstrumentId
from trading.model.positions import Position, PositionState
from trading.model.venue import Quote

MANAGED = (PositionState.PROTECTED, PositionState.UNPROTECTED, PositionState.CLOSING)


@dataclass(slots=True)
class ExitReport:
    positions: int = 0
    evaluated: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def manage_exits(desk: TradingDesk) -> ExitReport:
    """One run over the open positions. Without a quote the rules that need none are still evaluated.

    What fires is sent once. It is repeated only in runs in which the venue answers: an outage of hours would fill the
    record with orders that nobody can prove.
    """
    report = ExitReport()
    held = [each for each in desk.ledger.readable_positions()[0] if _to_be_managed(each)]
    if not held:
        return report
    report.positions = len(held)
    quotes = _quotes(desk, report)
    closes = _closes(desk, report)
    for position in held:
        try:
            _manage(desk, position, quotes, closes.get(position.instrument), report)
        except FAILURES as error:
            report.failures.append(f"{position.instrument}: {error}")
    report.failures += desk.orders.refused_protection
    return report


def _to_be_managed(position: Position) -> bool:
    """Holds something that our entry has brought: what the owner bought on the same contract is not ours to leave."""
    return position.state in MANAGED and bool(position.quantity and (position.entered or position.adopted))


def _quotes(desk: TradingDesk, report: ExitReport) -> Mapping[str, Quote] | None:
    """None when the venue does not answer."""
    try:
        return desk.venue.quotes()
    except VENUE_FAILURES as error:
        report.failures.append(f"quotes: {error}")
        return None


def _closes(desk: TradingDesk, report: ExitReport) -> Mapping[InstrumentId, float]:
    """None of them when they cannot be read: the premise is not judged then, everything else is."""
    try:
        return desk.market.last_closes(desk.now)
    except FAILURES as error:
        report.failures.append(f"last closes: {error}")
        return {}


def _manage(
    desk: TradingDesk,
    position: Position,
    quotes: Mapping[str, Quote] | None,
    last_close: float | None,
    report: ExitReport,
) -> None:
    told: Alert | None = None
    quote = quotes.get(position.contract) if quotes else None
    fired = False
    if position.state is not PositionState.CLOSING:
        verdict = decide_exit(_case(desk, position, quote, last_close))
        report.evaluated.update(verdict.evaluated)
        if verdict.fired is not None and verdict.action is not None:
            fired = True
            report.fired[verdict.fired] += 1
            position = _apply(desk, position, verdict.action, verdict.fired)
            told = _adjusted(desk, position, verdict.fired, verdict.action.why)
        elif position.state is not PositionState.UNPROTECTED or not desk.rules.reconciliation.repair_missing_stop:
            # One that is known to stand without its stop gets it here too: reconcile may have died before it sent it.
            return
    if quotes is None and not fired:
        return
    mark = quote.mark if quote else None
    decide = partial(protective_steps, mark=mark, rules=desk.rules, now=desk.now)
    try:
        desk.orders.carry_out(position, decide)
    finally:
        # After the orders: an alert that is slow to publish must not make them late.
        if told is not None:
            desk.alerts.tell(told)


def _case(desk: TradingDesk, position: Position, quote: Quote | None, last_close: float | None) -> ExitCase:
    return ExitCase(
        position=position,
        mark=quote.mark if quote else None,
        index=quote.index if quote else None,
        quoted_at=quote.at if quote else None,
        last_close=last_close,
        rules=desk.rules,
        now=desk.now,
    )


def _apply(desk: TradingDesk, position: Position, action: MoveStop | Close, rule: str) -> Position:
    if isinstance(action, MoveStop):
        changed = replace(position, stop=action.to)
    else:
        changed = position.moved(PositionState.CLOSING, close_reason=rule)
    return desk.ledger.save_position(changed)


def _adjusted(desk: TradingDesk, position: Position, rule: str, why: str) -> Alert:
    return Alert(
        kind=AlertKind.POSITION_ADJUSTED,
        severity=Severity.INFO,
        subject=f"{position.id}:{rule}",
        title=f"{position.instrument} {position.side}: {rule}",
        text=why,
        at=desk.now,
    )
