"""End a record: cancel what is left of it, wait for the account log, book the trade."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from shared.guard.look import CLOCKS_MAY_DIFFER, Look
from shared.guard.report import GuardReport
from shared.guard.telling import tell_closed, tell_unpriced
from shared.trading_desk import TradingDesk
from trading.errors import VenueUnavailable
from trading.execution.protection import clearing_steps
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position, PositionState, Trade
from trading.model.steps import Cancel, Step
from trading.reconciliation.compare import is_over, still_covers
from trading.reconciliation.policy import Policies
from trading.reconciliation.trades import book_trade, missing_from
from trading.risk.day import count_trade


def end_if_over(look: Look, position: Position, others: tuple[Position, ...]) -> bool:
    """True when the record has ended and is off the open ones. Nothing of it may still rest at the venue then.

    Its stop stays while it is all that covers what somebody else has bought there: a record of his own comes first."""
    desk, report, policies = look.desk, look.report, look.policies
    if not _never_filled(position) and not is_over(position, desk.now, desk.rules, policies):
        return False
    if not _never_filled(position) or position.state is not PositionState.OPENING:
        # An entry that came to nothing is ended by execution, with its reason; here only one beside which the owner
        # has traded.
        needed = still_covers(position, others, look.view)
        position = desk.orders.carry_out(position, partial(_clearing, stops=not needed))
    if any(intent.state.may_rest for intent in position.intents):
        return False
    if not position.entered:
        desk.ledger.close_position(position.moved(PositionState.CLOSED), None)
        report.booked.append(f"{position.contract} ended without a trade: {position.close_reason}")
        report.ended.append(position)
        return True
    trade = _priced(desk, position, report, policies)
    day = desk.control.risk_day()
    if trade is None or day is None:
        # The trade and its count are one write: it is booked when there is a day to count it on.
        return False
    closed = replace(position, close_reason=trade.exit_reason).moved(PositionState.CLOSED)
    # A day that cannot be read counts nothing and must not keep the trade: a record that stays open would keep a person
    # from resuming after a flatten, which alone begins the day anew. Its losses in a row are lost then in any case.
    counted = None if day.unreadable else count_trade(day, trade, desk.now, desk.rules.risk)
    desk.ledger.close_position(closed, trade, counted)
    report.booked.append(f"{position.contract} {trade.exit_reason} {trade.net}")
    report.ended.append(position)
    tell_closed(desk, trade, report)
    return True


def _clearing(position: Position, *, stops: bool) -> tuple[Step, ...]:
    kept = () if stops else {each.client_order_id for each in position.of(Purpose.STOP)}
    steps = clearing_steps(position)
    return tuple(each for each in steps if not (isinstance(each, Cancel) and each.client_order_id in kept))


def _priced(desk: TradingDesk, position: Position, report: GuardReport, policies: Policies) -> Trade | None:
    """The trade as the account log tells it, None while the log lacks a part of it. A log that was silent once is asked
    no more in this run: nobody's stop waits for a price."""
    if report.log_silent:
        tell_unpriced(desk, position, report.log_silent, report, policies)
        return None
    try:
        rows = desk.venue.ledger_rows(position.planned_at - CLOCKS_MAY_DIFFER)
    except VenueUnavailable as error:
        report.log_silent = str(error)
        tell_unpriced(desk, position, str(error), report, policies)
        raise
    if why := missing_from(position, rows):
        tell_unpriced(desk, position, why, report, policies)
        return None
    return book_trade(position, rows, desk.now)


def _never_filled(position: Position) -> bool:
    """The entry is over, nothing was ever filled, and nothing of ours but finished orders is left."""
    entry = position.intent(Purpose.ENTRY)
    over = entry is not None and entry.state.terminal
    pending = any(each.state is IntentState.PLANNED for each in position.intents)
    return over and not pending and not position.entered and not position.quantity
