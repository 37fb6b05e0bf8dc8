"""What protection asks for, and positions to ask about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.fakes.records import NOW, RULES, filled, with_state
from trading.execution.plan import target_intent
from trading.execution.protection import protective_steps
from trading.model.orders import IntentState as S
from trading.model.orders import OrderIntent, Purpose
from trading.model.positions import Position, PositionState
from trading.model.steps import Send, Step
from trading.model.units import Price, Quantity


def steps(position: Position, mark: Any = 100, rules: Any = RULES) -> tuple[Step, ...]:
    return protective_steps(position, None if mark is None else Price(mark), rules, NOW)


def sends(found: tuple[Step, ...], purpose: Purpose | None = None) -> list[OrderIntent]:
    every = [each.intent for each in found if isinstance(each, Send)]
    return [each for each in every if purpose in (None, each.purpose)]


def naked(**changes: Any) -> Position:
    """Holds 10, its stop was cancelled by somebody."""
    return with_state(filled(state=PositionState.UNPROTECTED, **changes), Purpose.STOP, S.CANCELLED)


def reduced(position: Position, quantity: Any) -> Position:
    """So much is left, and the fills know it."""
    opening, left = position.fills[0], Quantity(quantity)
    closing = replace(opening, id="closing", opens=False, quantity=Quantity(position.quantity - left))
    return replace(position, quantity=left, fills=(opening, closing))


def with_targets(position: Position, first: Any = 4, second: Any = 4) -> Position:
    for purpose, quantity, price in ((Purpose.TARGET_1, first, 102), (Purpose.TARGET_2, second, 105)):
        intent = target_intent(position, purpose, Quantity(quantity), Price(price), NOW)
        position = position.with_intent(replace(intent, state=S.LIVE))
    return position
