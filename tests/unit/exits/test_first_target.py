"""A position without an order at its first target: the mark says when it was reached."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.manage_exits.first_target import passed_first_target
from tests.fakes.records import NOW, coin, filled, with_state
from tests.unit.exits.exit_cases import case
from trading.execution.plan import target_intent
from trading.model.instruments import Side
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position
from trading.model.units import Price, Quantity

LONG, SHORT = Side.LONG, Side.SHORT
S = IntentState


def small(side: Side = LONG, **changes: Any) -> Position:
    """10 are held and nothing below 6 is taken: an order for one target would leave too little."""
    return replace(filled(side=side), market=coin(minimum=Quantity(6)), **changes)


def with_target(state: IntentState, reason: str = "") -> Position:
    position = filled()
    intent = target_intent(position, Purpose.TARGET_1, Quantity(4), Price(102), NOW)
    return with_state(position.with_intent(intent), Purpose.TARGET_1, state, reason=reason)


@pytest.mark.parametrize(
    ("side", "mark", "passed"),
    [
        (LONG, "101.9", False),
        (LONG, "102", True),
        (LONG, "110", True),
        (SHORT, "98.1", False),
        (SHORT, "98", True),
        (SHORT, "90", True),
    ],
)
def test_mark_tells_where_no_order_can_stand(side: Side, mark: str, passed: bool) -> None:
    assert passed_first_target(case(small(side), mark=Decimal(mark))) is passed


def test_order_that_is_due_is_waited_for() -> None:
    assert not passed_first_target(case(filled(), mark=103))


@pytest.mark.parametrize(
    ("state", "reason", "passed"),
    [
        (S.LIVE, "", False),
        (S.UNKNOWN, "", False),
        (S.CANCEL_PENDING, "", False),
        (S.REJECTED, "apiLimitExceeded", False),
        (S.REJECTED, "invalidSize", True),
        (S.CANCELLED, "by hand", True),
    ],
)
def test_mark_tells_only_where_no_order_stands(state: IntentState, reason: str, passed: bool) -> None:
    assert passed_first_target(case(with_target(state, reason), mark=103)) is passed


@pytest.mark.parametrize(
    "position",
    [
        small(first_target_at=NOW),
        with_state(small(), Purpose.ENTRY, S.PARTIAL),
        small(intents=(), fills=()),
    ],
)
def test_other_positions_are_left_alone(position: Position) -> None:
    """Reached already, its entry still works, not ours."""
    assert not passed_first_target(case(position, mark=103))


def test_old_quote_tells_nothing() -> None:
    assert passed_first_target(case(small(), mark=103, age_s=10))
    assert not passed_first_target(case(small(), mark=103, age_s=11))
    assert not passed_first_target(replace(case(small()), quote=None, now=NOW + timedelta(hours=1)))
