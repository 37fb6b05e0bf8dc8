"""Closes what is open, entries included. Reconcile repeats the exits until the venue is flat, then takes off what is
left. Where no other function works, asking once more does as much: an exit that left a rest is followed by another
one, and when the venue shows nothing any more the stop goes too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.control_trading.payloads import ALL
from functions.control_trading.saying import refused_exit, said_of
from functions.control_trading.scopes import NO_UNIVERSE, Scope, scope_of
from functions.control_trading.strays import adopt, known_universe, without_record
from shared.failures import FAILURES
from shared.storage.ledger import Ledger
from shared.storage.market_data import MarketDataStore
from shared.trading_desk import TradingDesk
from trading.errors import StoreConflict, VenueUnavailable
from trading.execution.flattening import ordered_to_close
from trading.execution.protection import protective_steps, proven_gone
from trading.model.instruments import Universe
from trading.model.orders import IntentState, OrderIntent, Purpose
from trading.model.positions import Position, PositionState
from trading.model.venue import VenuePosition

ATTEMPTS = 4
"""How often a record that others are working on is looked at again."""


class Reach:
    """The account, opened on first use. An outage of what holds the key reads as an outage of the venue."""

    def __init__(self, open_desk: Callable[[], TradingDesk]) -> None:
        self._open = open_desk

    def positions(self) -> tuple[VenuePosition, ...]:
        return self._desk().venue.positions()

    def close(self, scope: str) -> dict[str, Any]:
        return close_positions(self._desk(), scope)

    def cancel_entries(self) -> dict[str, Any]:
        try:
            return cancel_entries(self._desk())
        except FAILURES as error:
            # The level is recorded: execution cancels them as soon as the venue can be reached.
            return {"cancelled": [], "failures": [str(error)]}

    def _desk(self) -> TradingDesk:
        try:
            return self._open()
        except (BotoCoreError, ClientError) as error:
            raise VenueUnavailable(f"the trading key cannot be read ({type(error).__name__})") from None


def universe_reader(market_data: MarketDataStore) -> Callable[[], Universe]:
    """Reads the universe; an unreadable one reads as empty, because the ledger and the venue name what is open."""

    def read() -> Universe:
        try:
            stored = market_data.universe()
        except FAILURES:
            stored = None
        return stored.universe if stored else NO_UNIVERSE

    return read


@dataclass(slots=True)
class _Done:
    """What was done, one line each, and what was not; one that fails never keeps the others open."""

    closing: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def each(self, what: Callable[[], str], name: str) -> None:
        try:
            if said := what():
                self.closing.append(said)
        except FAILURES as error:
            self.failures.append(f"{name}: {error}")


def order_closing(ledger: Ledger, scope: str, universe: Universe = NO_UNIVERSE) -> list[str]:
    """Write into every record of the scope that it is to be closed, before anything is sent: whoever can reach the
    venue next carries it out. Returns what could not be written."""
    done = _Done()
    positions, unreadable = ledger.readable_positions()
    meant = scope_of(scope, universe, positions)
    for position in positions:
        if meant.covers(position.contract):
            done.each(partial(_ordered, ledger, position), position.instrument)
    return [*done.failures, *_unreadable(unreadable, meant)]


def _ordered(ledger: Ledger, position: Position) -> str:
    def mark(current: Position) -> Position:
        ordered = ordered_to_close(current)
        return current if ordered == current else ledger.save_position(ordered)

    _persist(ledger, position, mark)
    return ""


def close_positions(desk: TradingDesk, scope: str) -> dict[str, Any]:
    """Reduce-only market exits for what holds something, cancels for entries. Repeating it is harmless.

    One position that fails does not keep the others open; it is named in `failures`. What the venue holds without a
    record of ours gets one first: nothing may be sent without it.
    """
    done = _Done()
    held = _held(desk, done)
    positions, unreadable = desk.ledger.readable_positions()
    meant = scope_of(scope, NO_UNIVERSE if scope == ALL else known_universe(desk), positions)
    for position in positions:
        if meant.covers(position.contract):
            done.each(partial(_close, desk, position, held), position.instrument)
    found = without_record(held or (), positions, meant)
    for shown in found:
        done.each(partial(_close_stray, desk, shown, positions), shown.contract)
    return {
        "closing": done.closing,
        "failures": [*done.failures, *_unreadable(unreadable, meant)],
        "orders_sent": desk.orders.sent,
        "without_record": [each.contract for each in found],
    }


def cancel_entries(desk: TradingDesk) -> dict[str, Any]:
    """Take off the entries that rest. The stops stay; what was not sent yet is given up by execution."""
    done = _Done()
    for position in desk.ledger.readable_positions()[0]:
        done.each(partial(_cancel_entry, desk, position), position.instrument)
    return {"cancelled": done.closing, "failures": done.failures}


def _cancel_entry(desk: TradingDesk, position: Position) -> str:
    entry = position.intent(Purpose.ENTRY)
    if entry is None or not _rests(entry):
        return ""
    _persist(desk.ledger, position, partial(_end_entry, desk))
    return f"{position.instrument}: entry cancelled"


Held = tuple[VenuePosition, ...] | None
"""What the venue shows; None where it does not answer."""


def _held(desk: TradingDesk, done: _Done) -> Held:
    try:
        return desk.venue.positions()
    except FAILURES as error:
        done.failures.append(f"the venue does not show its positions: {error}")
        return None


def _close(desk: TradingDesk, position: Position, held: Held) -> str:
    position = _persist(desk.ledger, position, partial(_close_once, desk, held))
    if refused := refused_exit(position, desk.now):
        raise VenueUnavailable(f"market exit of {refused.quantity} was refused: {refused.reason}")
    return said_of(position, desk.rules, desk.now, gone=_gone(desk, position, held))


def _close_once(desk: TradingDesk, held: Held, position: Position) -> Position:
    ordered = ordered_to_close(_as_shown(position, held or ()))
    if ordered != position:
        position = desk.ledger.save_position(ordered)
    if _gone(desk, position, held):
        return _others_off(desk, position)
    # The exit first: an entry that cannot be taken off now keeps nothing open.
    decide = partial(protective_steps, mark=None, rules=desk.rules, now=desk.now)
    return _end_entry(desk, desk.orders.carry_out(position, decide))


def _gone(desk: TradingDesk, position: Position, held: Held) -> bool:
    """An answer of the venue without this position, after an exit of ours that it took: it is flat."""
    shown = held is None or any(_stands_for(position, each) and each.quantity for each in held)
    return bool(position.quantity) and not shown and proven_gone(position, desk.rules, desk.now)


def _others_off(desk: TradingDesk, position: Position) -> Position:
    """Stop and targets would wait for the wrong position. What became of the exits is for reconcile to book."""
    for intent in position.intents:
        if intent.purpose is not Purpose.EXIT and _rests(intent):
            position = desk.orders.cancel(position, intent, "the position is flat")
    return position


def _close_stray(desk: TradingDesk, shown: VenuePosition, positions: tuple[Position, ...]) -> str:
    return _close(desk, adopt(desk, shown, positions), (shown,))


def _as_shown(position: Position, held: tuple[VenuePosition, ...]) -> Position:
    """More than is recorded is held where an entry was filled and nobody has looked yet. Less is never concluded
    here: a view that lags would leave a rest open."""
    entry = position.intent(Purpose.ENTRY)
    sent = entry is not None and entry.state not in (IntentState.PLANNED, IntentState.ABANDONED)
    shown = next((each for each in held if _stands_for(position, each)), None)
    if shown is None or position.came_to_nothing or position.spent or not (sent or position.adopted):
        return position
    if shown.quantity <= position.quantity:
        return position
    position = replace(position, quantity=shown.quantity)
    opening = position.state is PositionState.OPENING
    return position.moved(PositionState.UNPROTECTED, unprotected_since=None) if opening else position


def _stands_for(position: Position, shown: VenuePosition) -> bool:
    return position.contract == shown.contract and position.side is shown.side


def _end_entry(desk: TradingDesk, position: Position) -> Position:
    """A working entry would add to what is being closed. One whose fate is unknown is settled first, by reconcile."""
    entry = position.intent(Purpose.ENTRY)
    return desk.orders.cancel(position, entry) if entry is not None and _rests(entry) else position


def _rests(entry: OrderIntent) -> bool:
    """Also where it was asked to go before: that request may have been lost."""
    return entry.state.works or entry.state is IntentState.CANCEL_PENDING


def _persist(ledger: Ledger, position: Position, work: Callable[[Position], Position]) -> Position:
    """Do it on the record as it is now: of two that work on it the later one looks again."""
    for _ in range(ATTEMPTS - 1):
        try:
            return work(position)
        except StoreConflict:
            fresh = ledger.position(position.instrument)
            if fresh is None or fresh.id != position.id:
                raise
            position = fresh
    return work(position)


def _unreadable(unreadable: tuple[str, ...], meant: Scope) -> list[str]:
    """Records that do not decode: what they stand for is closed by a record beside them, where the venue shows it."""
    return [f"the record cannot be read: {each}" for each in unreadable if meant.covers_unreadable(each)]
