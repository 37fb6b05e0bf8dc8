"""The first orders of a plan: its stop while flat or, where the venue takes none, the entry and then the stop."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial

from shared.trading_desk import TradingDesk
from trading.errors import StoreConflict, VenueAnswerInvalid
from trading.execution.entries import counts_as_refused
from trading.execution.protection import protective_steps
from trading.execution.verify import stop_faults
from trading.model.flat_stop import REFUSED_WHILE_FLAT, FlatStop, nothing_to_reduce
from trading.model.orders import IntentState, OrderIntent, OrderType, Purpose
from trading.model.positions import Position, PositionState
from trading.model.venue import VenuePosition


def send_first_stop(desk: TradingDesk, position: Position) -> Position:
    """Ask the venue for the stop while flat, unless it has refused one lately; remember what it answers."""
    stop, rules = intent_of(position, Purpose.STOP), desk.rules.execution
    known = desk.ledger.flat_stop()
    believed = known is not None and known.believed(desk.now, rules.flat_stop_recheck_hours)
    if known and believed and not known.accepted and stop.state is IntentState.PLANNED:
        skipped = stop.moved(IntentState.ABANDONED, reason=f"{REFUSED_WHILE_FLAT}: {known.sentence()}")
        return desk.ledger.save_position(position.with_intent(skipped))
    position = desk.orders.send(position, stop)
    answered = intent_of(position, Purpose.STOP)
    accepted = answered.state is IntentState.LIVE
    refused = answered.state is IntentState.REJECTED and nothing_to_reduce(answered.reason)
    if (accepted or refused) and not (known and believed and known.accepted is accepted):
        source = f"{position.contract} {answered.client_order_id}"
        desk.ledger.note_flat_stop(FlatStop(accepted=accepted, at=desk.clock.now(), source=source))
    return position


def take_entry(desk: TradingDesk, position: Position) -> Position:
    """The price is at the level: the entry takes what is there within its limit and never rests. The stop follows in
    the same run as soon as the venue shows the position; what cannot be seen yet, reconcile protects."""
    immediate = replace(intent_of(position, Purpose.ENTRY), type=OrderType.IMMEDIATE)
    position = desk.orders.send(position.with_intent(immediate), immediate)
    entry = intent_of(position, Purpose.ENTRY)
    try:
        shown = None if entry.state is IntentState.REJECTED else _shown(desk, position)
        return position if shown is None else _protect(desk, position, shown)
    finally:
        # Last: no stop waits for a count, or is missing because the store was busy.
        count_answer(desk, entry)


def note_dropped_stop(desk: TradingDesk, position: Position) -> None:
    """It took the stop and let it go: for the next plans that is a venue which takes none while flat."""
    stop = intent_of(position, Purpose.STOP)
    source = f"{position.contract} {stop.client_order_id}, which was taken and gone again"
    desk.ledger.note_flat_stop(FlatStop(accepted=False, at=desk.clock.now(), source=source))


def _shown(desk: TradingDesk, position: Position) -> VenuePosition | None:
    found = [each for each in desk.venue.positions() if each.contract == position.contract]
    return next((each for each in found if each.side is position.side), None)


def _protect(desk: TradingDesk, position: Position, shown: VenuePosition) -> Position:
    """VenueAnswerInvalid when the stop does not stand as it was meant; the position counts as unprotected then."""
    now = desk.clock.now()
    bare = position.moved(PositionState.UNPROTECTED, quantity=shown.quantity, unprotected_since=now)
    position = desk.ledger.save_position(bare)
    position = desk.orders.carry_out(position, partial(protective_steps, mark=None, rules=desk.rules, now=now))
    faults = stop_faults(intent_of(position, Purpose.STOP), position.contract, desk.venue.open_orders())
    if faults:
        raise VenueAnswerInvalid(f"entered without a sound stop: {faults[0]}")
    return desk.ledger.save_position(position.moved(PositionState.PROTECTED, unprotected_since=None))


def count_answer(desk: TradingDesk, entry: OrderIntent) -> None:
    """Refusals in a row are a limit; an accepted entry ends the row."""
    refused = counts_as_refused(entry)
    if refused or entry.state is IntentState.LIVE:
        # The entry is out by now: a count that others keep changing must not hide it.
        with suppress(StoreConflict):
            desk.control.note_entry_answer(accepted=not refused, limit=desk.rules.risk.rejections_in_a_row)


def intent_of(position: Position, purpose: Purpose) -> OrderIntent:
    intent = position.intent(purpose)
    assert intent is not None, f"position {position.id} has no {purpose} intent"
    return intent
