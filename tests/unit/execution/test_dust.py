"""Less is held than the venue takes as an order: closed whole once, or left by rule, never asked for every minute."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.records import NOW, filled, with_state
from tests.unit.execution.due_steps import reduced, sends, steps
from trading.execution.plan import exit_intent
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position, PositionState
from trading.model.units import Price, Quantity

S = IntentState
CLOSING = PositionState.CLOSING


def dust(position: Position, **changes: Any) -> Position:
    """Four are left where the smallest order is five."""
    market = replace(position.market, minimum=Quantity(5), step=Decimal(1))
    return replace(reduced(position, 4), market=market, **changes)


def refused_exit(position: Position, reason: str = "invalidSize", quantity: int = 4) -> Position:
    sent = replace(exit_intent(position, NOW), state=S.REJECTED, reason=reason, quantity=Quantity(quantity))
    return position.with_intent(sent)


def test_dust_is_closed_whole_once() -> None:
    closing = dust(filled(), state=CLOSING)
    assert [each.quantity for each in sends(steps(closing), Purpose.EXIT)] == [4]
    assert sends(steps(refused_exit(closing)), Purpose.EXIT) == []


@pytest.mark.parametrize(
    "again",
    [
        refused_exit(dust(filled(), state=CLOSING), "marketSuspended"),
        refused_exit(dust(filled(), state=CLOSING), quantity=3),
        refused_exit(reduced(replace(filled(), state=CLOSING), 4)),
        with_state(
            dust(filled(), state=CLOSING).with_intent(exit_intent(dust(filled()), NOW)), Purpose.EXIT, S.CANCELLED
        ),
    ],
)
def test_refused_exit_is_tried_again_otherwise(again: Position) -> None:
    assert len(sends(steps(again), Purpose.EXIT)) == 1


def test_stop_of_dust_is_neither_shrunk_nor_moved() -> None:
    assert sends(steps(dust(filled())), Purpose.STOP) == []
    assert sends(steps(dust(filled(), stop=Price(99))), Purpose.STOP) == []
    assert len(sends(steps(reduced(filled(), 4)), Purpose.STOP)) == 1
    exactly = replace(dust(filled()), quantity=Quantity(5))
    assert len(sends(steps(exactly), Purpose.STOP)) == 1


def test_dust_without_a_whole_stop_gets_one() -> None:
    bare = with_state(dust(filled()), Purpose.STOP, S.CANCELLED)
    assert [each.quantity for each in sends(steps(bare), Purpose.STOP)] == [4]
    small = with_state(dust(filled()), Purpose.STOP, S.LIVE, quantity=Quantity(3))
    assert [each.quantity for each in sends(steps(small), Purpose.STOP)] == [4]
