"""What a person is told of one position after a closing: what was sent for it, and otherwise why nothing was."""

from __future__ import annotations

from datetime import datetime

from trading.execution.protection import exits_under_way
from trading.model.flat_stop import nothing_to_reduce
from trading.model.orders import IntentState, OrderIntent, Purpose
from trading.model.positions import Position
from trading.rules import Rules


def said_of(position: Position, rules: Rules, now: datetime, *, gone: bool) -> str:
    """`now`: when the closing began; `gone`: the venue shows nothing of it after an exit that it took."""
    if gone:
        return f"{position.instrument}: the venue shows nothing of it any more; its other orders are taken off"
    if position.quantity:
        return f"{position.instrument}: {_said_of_exits(position, rules, now)}"
    if position.entry_open:
        return f"{position.instrument}: entry being taken off"
    if position.entered > position.left or position.adopted:
        return f"{position.instrument}: closed as soon as the venue shows it"
    return f"{position.instrument}: entry given up" if not position.entered else f"{position.instrument}: nothing held"


def refused_exit(position: Position, now: datetime) -> OrderIntent | None:
    """The exit that was sent in this closing and that the venue did not take, though something may be held."""
    newest = _sent_since(position, now)
    refused = newest is not None and newest.state is IntentState.REJECTED and not nothing_to_reduce(newest.reason)
    return newest if refused else None


def _said_of_exits(position: Position, rules: Rules, now: datetime) -> str:
    newest = _sent_since(position, now)
    if newest is not None and newest.state is IntentState.REJECTED:
        return "the venue says that there is nothing to reduce"
    if newest is not None:
        return f"market exit of {newest.quantity}{', no answer yet' if newest.state is IntentState.UNKNOWN else ''}"
    if exits_under_way(position, rules, now):
        return "an exit is under way, nothing more was sent"
    return f"nothing was sent; {position.quantity} is less than the venue takes"


def _sent_since(position: Position, now: datetime) -> OrderIntent | None:
    newest = position.intent(Purpose.EXIT)
    sent_at = newest and (newest.resent_at or newest.sent_at)
    return newest if sent_at and sent_at >= now else None
