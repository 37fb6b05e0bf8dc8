"""Evaluate every exit rule for every open position, whatever the state of its coin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from shared.trading_desk import TradingDesk
from trading.errors import TradingError, VenueUnavailable
from trading.execution.protection import protective_steps
from trading.exits.registry import Close, ExitCase, MoveStop, decide_exit
from trading.model.alerts import Alert, AlertKind, Severity
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
    """One run over the open positions. Without a quote the rules that need none are still evaluated."""
    report = ExitReport()
    held = [each for each in desk.ledger.readable_positions()[0] if each.state in MANAGED and each.quantity]
    if not held:
        return report
    report.positions = len(held)
    quotes = _quotes(desk, report)
    closes = desk.market.last_closes(desk.now)
    for position in held:
        quote = quotes.get(position.contract)
        try:
            _manage(desk, position, quote, closes.get(position.instrument), report)
        except (TradingError, AssertionError) as error:
            report.failures.append(f"{position.instrument}: {error}")
    return report


def _quotes(desk: TradingDesk, report: ExitReport) -> Mapping[str, Quote]:
    try:
        return desk.venue.quotes()
    except VenueUnavailable as error:
        report.failures.append(f"quotes: {error}")
        return {}


def _manage(
    desk: TradingDesk, position: Position, quote: Quote | None, last_close: float | None, report: ExitReport
) -> None:
    if position.state is not PositionState.CLOSING:
        verdict = decide_exit(_case(desk, position, quote, last_close))
        report.evaluated.update(verdict.evaluated)
        if verdict.fired is None or verdict.action is None:
            return
        report.fired[verdict.fired] += 1
        position = _apply(desk, position, verdict.action, verdict.fired)
    mark = quote.mark if quote else None
    decide = partial(protective_steps, mark=mark, rules=desk.rules, now=desk.now)
    desk.orders.carry_out(position, decide)


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
    saved = desk.ledger.save_position(changed)
    desk.alerts.tell(
        Alert(
            kind=AlertKind.POSITION_ADJUSTED,
            severity=Severity.INFO,
            subject=f"{position.id}:{rule}",
            title=f"{position.instrument} {position.side}: {rule}",
            text=action.why,
            at=desk.now,
        )
    )
    return saved
