"""What stands without a full stop is read off the venue alone: nobody's record is believed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.records import filled, held, order_of
from tests.unit.reconciliation.views import intent_of
from trading.model.instruments import Side
from trading.model.orders import OrderSide, Purpose
from trading.model.units import Quantity
from trading.model.venue import OpenOrderKind
from trading.reconciliation.compare import uncovered

POSITION = filled()
SHOWN = held(POSITION)
STOP = order_of(POSITION, intent_of(POSITION, Purpose.STOP))


def test_position_with_our_full_stop_is_covered() -> None:
    assert uncovered((SHOWN,), (STOP,)) == ()


def test_position_of_anybody_without_orders_is_uncovered() -> None:
    assert uncovered((SHOWN,), ()) == (SHOWN,)


def test_two_stops_cover_together_what_they_hold() -> None:
    part = replace(STOP, open_quantity=Quantity(SHOWN.quantity / 2))
    assert uncovered((SHOWN,), (part,)) == (SHOWN,)
    assert uncovered((SHOWN,), (part, part)) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": OpenOrderKind.TAKE_PROFIT},
        {"reduce_only": False},
        {"trigger_signal": "last"},
        {"side": OrderSide.opening(Side.LONG)},
        {"contract": "PF_OTHERUSD"},
        {"client_order_id": None},
        {"open_quantity": Quantity(SHOWN.quantity - 1)},
    ],
)
def test_order_that_is_no_full_stop_covers_nothing(changes: dict[str, Any]) -> None:
    assert uncovered((SHOWN,), (replace(STOP, **changes),)) == (SHOWN,)


def test_covered_neighbour_hides_nothing() -> None:
    other = replace(SHOWN, contract="PF_OTHERUSD")
    assert uncovered((SHOWN, other), (STOP,)) == (other,)
