"""The ladder of take-profits: each placed once, together never more than what is open, none sent to execute at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from trading.execution.plan import target_intent
from trading.model.orders import IntentState, OrderIntent, Purpose
from trading.model.positions import Position
from trading.model.steps import Cancel, Send, Step
from trading.model.units import Price, Quantity
from trading.model.venue import refused_for_now
from trading.rules import Rules

TARGETS = (Purpose.TARGET_1, Purpose.TARGET_2)
TOO_LARGE = "more than what is left of the position"
_NEVER_PLACED = frozenset({IntentState.ABANDONED, IntentState.NOT_PLACED})


def target_steps(position: Position, rules: Rules, now: datetime) -> list[Step]:
    """What the ladder needs. A target whose level is already passed is refused by the venue, because it may only rest;
    it keeps that reason and is not tried again."""
    excess = list(_excess(position))
    if excess:
        return [Cancel(client_order_id=each.client_order_id, why=TOO_LARGE) for each in excess]
    smallest = max(position.market.minimum, position.market.step)
    room = position.quantity - _resting(position)
    steps: list[Step] = []
    for purpose, share, price in _ladder(position, rules):
        newest = position.intent(purpose)
        if newest is not None and newest.may_be_sent_again:
            steps.append(Send(intent=newest))
        if newest is not None and not _to_be_placed(newest):
            continue
        filled = sum((each.filled for each in position.of(purpose)), Decimal(0))
        quantity = position.market.quantity_down(min(position.entered * share - filled, room))
        if quantity < smallest or 0 < room - quantity < smallest:
            # Too small for an order of its own, or what it leaves would be: it stays with the runner.
            continue
        room -= quantity
        steps.append(Send(intent=target_intent(position, purpose, quantity, price, now)))
    return steps


def _ladder(position: Position, rules: Rules) -> tuple[tuple[Purpose, Decimal, Price], ...]:
    shares = (rules.levels.target_1_share, rules.levels.target_2_share)
    prices = (position.levels.target_1, position.levels.target_2)
    return tuple(zip(TARGETS, shares, prices, strict=True))


def _to_be_placed(newest: OrderIntent) -> bool:
    """It never came to be, was refused for a reason that passes, or was taken off to be made smaller."""
    if newest.state is IntentState.REJECTED:
        return refused_for_now(newest.reason)
    return newest.state in _NEVER_PLACED or (newest.state is IntentState.CANCELLED and newest.reason == TOO_LARGE)


def _resting(position: Position) -> Decimal:
    open_quantities = [each.open_quantity for purpose in TARGETS for each in position.resting(purpose)]
    return sum(open_quantities, Decimal(0))


def _excess(position: Position) -> Iterator[OrderIntent]:
    """Working targets, the furthest first, until the rest fits into the position.

    Not judged while the fills leave more than the venue shows: a target whose fill shows late would make the ladder
    look too large. Less than it shows, for good, is a position to which its owner has added by hand.
    """
    if position.entered - position.left > position.quantity:
        return
    resting = Quantity(_resting(position))
    for purpose in reversed(TARGETS):
        for each in position.resting(purpose):
            if each.state.works and resting > position.quantity:
                resting = Quantity(resting - each.open_quantity)
                yield each
