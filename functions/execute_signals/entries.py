"""Entries under way: each gets its due step, until it has to wait. Every step is recorded before it is taken."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from pynamodb.exceptions import PynamoDBException

from functions.execute_signals.report import ExecutionReport, stage
from shared.trading_desk import TradingDesk
from trading.errors import StoreConflict, TradingError
from trading.execution.entries import counts_as_refused, next_entry_step
from trading.execution.verify import stop_faults
from trading.model.control import KillLevel
from trading.model.decisions import Outcome
from trading.model.disorder import MarketWatch
from trading.model.instruments import InstrumentId
from trading.model.orders import IntentState, OrderIntent, Purpose
from trading.model.positions import Position, PositionState
from trading.model.steps import EntryStepKind
from trading.risk.day import entry_level

ENTRY_ROUNDS = 4
READ_ERRORS = (TradingError, PynamoDBException)


def carry_entries_on(desk: TradingDesk, watch: MarketWatch | None, report: ExecutionReport) -> None:
    """All of them, one failing alone. `watch` is None when the market could not be looked at: nothing is sent then.

    What cannot be read keeps no entry from being cancelled: neither the record of another, nor the closes, nor the
    risk day.
    """
    positions, unreadable = desk.ledger.readable_positions()
    report.failures += [f"position record {each}" for each in unreadable]
    opening = [each for each in positions if each.entry_open or each.state is PositionState.OPENING]
    if not opening:
        return
    closes, level = _closes(desk, report), _level(desk, report)
    for position in opening:
        obeyed = max(level, _market_level(desk, position, watch))
        try:
            carry_on(desk, position, closes.get(position.instrument), obeyed)
        except (TradingError, AssertionError) as error:
            report.failures.append(f"{position.instrument}: {error}")


def _closes(desk: TradingDesk, report: ExecutionReport) -> Mapping[InstrumentId, float]:
    """None of them when they cannot be read: the premise is not judged then, everything else is."""
    try:
        return desk.market.last_closes(desk.now)
    except READ_ERRORS as error:
        report.failures.append(f"last closes: {error}")
        return {}


def _level(desk: TradingDesk, report: ExecutionReport) -> KillLevel:
    """By switch and risk day. One that cannot be read may be anything that cancels entries."""
    try:
        return entry_level(desk.control.control(desk.now), desk.control.risk_day(), desk.rules.risk)
    except READ_ERRORS as error:
        report.failures.append(f"kill level: {error}")
        return KillLevel.CANCEL_ENTRIES


def _market_level(desk: TradingDesk, position: Position, watch: MarketWatch | None) -> KillLevel:
    """A paused market is to its entries what K2 is to all of them, an unknown one what K1 is."""
    if watch is None:
        return KillLevel.NO_ENTRIES
    return KillLevel.CANCEL_ENTRIES if watch.pause(position.contract, desk.now) else KillLevel.NORMAL


def carry_on(desk: TradingDesk, position: Position, last_close: float | None, level: KillLevel) -> Position:
    """Do the entry's due steps until it has to wait."""
    for _ in range(ENTRY_ROUNDS):
        step = next_entry_step(position, last_close, level, desk.rules, desk.now)
        if step.kind is EntryStepKind.WAIT:
            break
        if step.kind is EntryStepKind.SEND_STOP:
            position = desk.orders.send(position, intent_of(position, Purpose.STOP))
        elif step.kind is EntryStepKind.SEND_ENTRY:
            position = _send_entry(desk, position)
        elif step.kind is EntryStepKind.CANCEL_ENTRY:
            return desk.orders.cancel(position, intent_of(position, Purpose.ENTRY))
        elif step.kind is EntryStepKind.ABANDON:
            position = desk.orders.abandon(replace(position, close_reason=step.why), step.why)
        else:
            return _finish(desk, position, step.why)
    return position


def _send_entry(desk: TradingDesk, position: Position) -> Position:
    """The stop is read back field by field before the entry may go out."""
    stop = intent_of(position, Purpose.STOP)
    faults = stop_faults(stop, position.contract, desk.venue.open_orders())
    if faults:
        return desk.orders.abandon(replace(position, close_reason=faults[0]), faults[0])
    position = desk.orders.send(position, intent_of(position, Purpose.ENTRY))
    entry = intent_of(position, Purpose.ENTRY)
    refused = counts_as_refused(entry)
    if refused or entry.state is IntentState.LIVE:
        # The entry is out by now: a count that others keep changing must not hide it.
        with suppress(StoreConflict):
            desk.control.note_entry_answer(accepted=not refused, limit=desk.rules.risk.rejections_in_a_row)
    return position


def _finish(desk: TradingDesk, position: Position, why: str) -> Position:
    """Nothing was ever filled: take the stop off; reconcile ends the record once the stop is gone."""
    entry = intent_of(position, Purpose.ENTRY)
    if entry.state is IntentState.REJECTED and not position.close_reason:
        stage(desk, position, Outcome.FAILED, f"{position.instrument}: {why}.")
    position = replace(position, close_reason=position.close_reason or why)
    for stop in position.resting(Purpose.STOP):
        if stop.state in (IntentState.LIVE, IntentState.PARTIAL):
            position = desk.orders.cancel(position, stop)
    return position


def intent_of(position: Position, purpose: Purpose) -> OrderIntent:
    intent = position.intent(purpose)
    assert intent is not None, f"position {position.id} has no {purpose} intent"
    return intent
