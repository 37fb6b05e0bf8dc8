"""Starts to close what is open. Reconcile repeats the exits until the venue is flat, then takes off what is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.control_trading.payloads import ALL
from shared.storage.market_data import MarketDataStore
from shared.trading_desk import TradingDesk
from trading.errors import CorruptRecord, StoreConflict, VenueUnavailable
from trading.execution.protection import protective_steps
from trading.model.instruments import Universe
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position, PositionState
from trading.model.venue import VenuePosition

REASON = "flatten"


class Reach:
    """The account, opened on first use. An outage of what holds the key reads as an outage of the venue."""

    def __init__(self, open_desk: Callable[[], TradingDesk]) -> None:
        self._open = open_desk

    def positions(self) -> tuple[VenuePosition, ...]:
        return self._desk().venue.positions()

    def close(self, scope: str) -> dict[str, Any]:
        return close_positions(self._desk(), scope)

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
        except CorruptRecord:
            stored = None
        return stored.universe if stored else Universe(instruments=())

    return read


def close_positions(desk: TradingDesk, scope: str) -> dict[str, Any]:
    """Reduce-only market exits for what holds something, cancels for entries. Repeating it is harmless.

    One position that fails does not keep the others open; it is named in `failures`.
    """
    positions = [each for each in desk.ledger.open_positions() if scope in (ALL, each.instrument)]
    closing: list[str] = []
    failures: list[str] = []
    for position in positions:
        try:
            closing.append(_close(desk, position))
        except (VenueUnavailable, StoreConflict) as error:
            failures.append(f"{position.instrument}: {error}")
    return {
        "closing": closing,
        "failures": failures,
        "orders_sent": desk.orders.sent,
        "without_record": _without_record(desk, {each.contract for each in positions}, scope),
    }


def _close(desk: TradingDesk, position: Position) -> str:
    if position.quantity:
        position = _mark_closing(desk, position)
        position = _end_entry(desk, position)
        desk.orders.carry_out(position, partial(protective_steps, mark=None, rules=desk.rules, now=desk.now))
        return f"{position.instrument}: market exit of {position.quantity}"
    if any(each.state is IntentState.PLANNED for each in position.intents):
        position = desk.orders.abandon(replace(position, close_reason=REASON), REASON)
    _end_entry(desk, position)
    return f"{position.instrument}: entry given up"


def _mark_closing(desk: TradingDesk, position: Position) -> Position:
    if position.state is PositionState.CLOSING:
        return position
    return desk.ledger.save_position(position.moved(PositionState.CLOSING, close_reason=REASON))


def _end_entry(desk: TradingDesk, position: Position) -> Position:
    """A working entry would add to what is being closed. One whose fate is unknown is reconcile's to settle."""
    entry = position.intent(Purpose.ENTRY)
    if entry is None or not entry.state.works:
        return position
    return desk.orders.cancel(position, entry)


def _without_record(desk: TradingDesk, recorded: set[str], scope: str) -> list[str]:
    """Positions that the venue holds and we never recorded: reconcile adopts them, then a flatten closes them too."""
    if scope != ALL:
        return []
    try:
        return sorted(each.contract for each in desk.venue.positions() if each.contract not in recorded)
    except VenueUnavailable:
        return []
