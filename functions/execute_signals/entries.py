"""Entries under way: each gets its due step, until it has to wait. Every step is recorded before it is taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from pynamodb.exceptions import PynamoDBException

from functions.execute_signals.first_orders import (
    count_answer,
    intent_of,
    note_dropped_stop,
    send_first_stop,
    take_entry,
)
from functions.execute_signals.report import ExecutionReport, stage, tell_failed
from shared.trading_desk import TradingDesk
from trading.errors import TradingError
from trading.execution.entries import EntrySight, next_entry_step, stop_was_dropped, watched
from trading.execution.verify import NOT_SHOWN, stop_faults
from trading.model.control import KillLevel
from trading.model.decisions import Outcome
from trading.model.disorder import MarketWatch
from trading.model.instruments import InstrumentId
from trading.model.orders import IntentState, Purpose
from trading.model.positions import TAKEN_BY_OTHERS, Position, PositionState
from trading.model.steps import EntryStep, EntryStepKind
from trading.model.venue import Quote
from trading.risk.day import entry_level

ENTRY_ROUNDS = 4
LOOKS_FOR_STOP = 2
"""The venue's list of orders may lag behind its acceptance; what two looks do not show waits for the next run."""

SENDS_ENTRY = (EntryStepKind.TAKE_ENTRY, EntryStepKind.SEND_ENTRY)

NOTED_FOR = timedelta(minutes=3)
"""Longer than the time to the next runs: one of them is not the one that was killed."""

READ_ERRORS = (TradingError, PynamoDBException)
NO_QUOTES: Mapping[str, Quote] = MappingProxyType({})


def carry_entries_on(
    desk: TradingDesk,
    watch: MarketWatch | None,
    report: ExecutionReport,
    quotes: Mapping[str, Quote] = NO_QUOTES,
) -> None:
    """All of them, one failing alone. `watch` is None when the market could not be looked at: nothing is sent then.

    What cannot be read keeps no entry from being cancelled: neither the record of another, nor the closes, nor the
    risk day.
    """
    positions, unreadable = desk.ledger.readable_positions()
    report.failures += [f"position record {each}" for each in unreadable]
    opening = [each for each in positions if each.entry_open or each.state is PositionState.OPENING]
    if not opening:
        return
    closes, (level, switch) = _closes(desk, report), _switch(desk, report)
    for position in opening:
        sight = EntrySight(
            level=max(level, _market_level(desk, position, watch)),
            control_version=switch,
            last_close=closes.get(position.instrument),
            quote=quotes.get(position.contract),
        )
        try:
            position = follow(desk, position, sight)
            _note_sent(desk, position)
            if watched(position):
                report.watched.append(position.contract)
        except (*READ_ERRORS, AssertionError) as error:
            report.failures.append(f"{position.instrument}: {error}")


def _note_sent(desk: TradingDesk, position: Position) -> None:
    """The trace says that the entry went out also where the run that planned it was overtaken or killed; what stands
    there already stays."""
    entry = intent_of(position, Purpose.ENTRY)
    if entry.sent_at is not None and desk.now - entry.sent_at <= NOTED_FOR:
        stage(desk, position, Outcome.SENT, f"{position.instrument}: entry sent, {entry.state}.")


def _closes(desk: TradingDesk, report: ExecutionReport) -> Mapping[InstrumentId, float]:
    """None of them when they cannot be read: the premise is not judged then, everything else is."""
    try:
        return desk.market.last_closes(desk.now)
    except READ_ERRORS as error:
        report.failures.append(f"last closes: {error}")
        return {}


def _switch(desk: TradingDesk, report: ExecutionReport) -> tuple[KillLevel, int | None]:
    """The level by switch and risk day, and the switch's version. A level that cannot be read may be anything that
    cancels entries."""
    try:
        control = desk.control.control(desk.now)
        return entry_level(control, desk.control.risk_day(), desk.rules.risk), control.version
    except READ_ERRORS as error:
        report.failures.append(f"kill level: {error}")
        return KillLevel.CANCEL_ENTRIES, None


def _market_level(desk: TradingDesk, position: Position, watch: MarketWatch | None) -> KillLevel:
    """A paused market is to its entries what K2 is to all of them, an unknown one what K1 is; one that only watches
    its level waits until the market can be seen again."""
    if watch is None:
        return KillLevel.NORMAL if watched(position) else KillLevel.NO_ENTRIES
    return KillLevel.CANCEL_ENTRIES if watch.pause(position.contract, desk.now) else KillLevel.NORMAL


def carry_on(desk: TradingDesk, position: Position, last_close: float | None, level: KillLevel) -> Position:
    """An entry that has just been planned: its quote was looked at by the risk gate."""
    return follow(desk, position, EntrySight(level=level, last_close=last_close))


def follow(desk: TradingDesk, position: Position, sight: EntrySight) -> Position:
    """Do the entry's due steps until it has to wait."""
    for _ in range(ENTRY_ROUNDS):
        step = _unless_held(desk, position, next_entry_step(position, sight, desk.rules, desk.clock.now()))
        if step.kind is EntryStepKind.WAIT:
            break
        if step.kind is EntryStepKind.FINISH:
            return _finish(desk, position, step.why)
        if step.kind is EntryStepKind.CANCEL_ENTRY:
            return desk.orders.cancel(position, intent_of(position, Purpose.ENTRY), step.why)
        if step.kind is EntryStepKind.ABANDON:
            position = _abandon(desk, position, step.why)
        elif step.kind is EntryStepKind.SEND_STOP:
            position = send_first_stop(desk, position)
        elif step.kind is EntryStepKind.TAKE_ENTRY:
            position = take_entry(desk, position)
        elif (sent := _send_entry(desk, position)) is not None:
            position = sent
        else:
            break
    return position


def _unless_held(desk: TradingDesk, position: Position, step: EntryStep) -> EntryStep:
    """Nothing goes out where somebody holds a position now: what the limits saw when it was planned may be old."""
    if step.kind not in SENDS_ENTRY or position.contract not in {each.contract for each in desk.venue.positions()}:
        return step
    return EntryStep(kind=EntryStepKind.ABANDON, why=TAKEN_BY_OTHERS)


def _abandon(desk: TradingDesk, position: Position, why: str) -> Position:
    text = f"{position.instrument}: the entry was not sent, {why}."
    stage(desk, position, Outcome.FAILED, text)
    if stop_was_dropped(position):
        note_dropped_stop(desk, position)
        tell_failed(desk, position, text)
    return desk.orders.abandon(position, why)


def _send_entry(desk: TradingDesk, position: Position) -> Position | None:
    """The stop is read back field by field before the entry may go out; None while the venue does not show it yet."""
    stop = intent_of(position, Purpose.STOP)
    for _ in range(LOOKS_FOR_STOP):
        faults = stop_faults(stop, position.contract, desk.venue.open_orders())
        if faults != (NOT_SHOWN,):
            break
    if faults == (NOT_SHOWN,):
        return None
    if faults:
        return _abandon(desk, position, faults[0])
    position = desk.orders.send(position, intent_of(position, Purpose.ENTRY))
    count_answer(desk, intent_of(position, Purpose.ENTRY))
    return position


def _finish(desk: TradingDesk, position: Position, why: str) -> Position:
    """Nothing was ever filled: take the stop off; reconcile ends the record once the stop is gone."""
    entry = intent_of(position, Purpose.ENTRY)
    if not position.close_reason:
        if entry.state is IntentState.REJECTED:
            stage(desk, position, Outcome.FAILED, f"{position.instrument}: {why}.")
        position = desk.ledger.save_position(replace(position, close_reason=why))
    for stop in position.of(Purpose.STOP):
        if stop.state.works:
            position = desk.orders.cancel(position, stop, why)
    return position
