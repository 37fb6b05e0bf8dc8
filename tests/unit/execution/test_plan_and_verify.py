from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.records import NOW, RULES, filled, order_of, rules_with, waiting
from tests.unit.risk.cases import SCENE
from trading.execution.plan import exit_intent, plan_position
from trading.execution.verify import stop_faults
from trading.model.orders import IntentState, OrderIntent, OrderSide, OrderType, Purpose
from trading.model.positions import Position, PositionState
from trading.model.risk import RiskApproved
from trading.model.units import Price, Quantity
from trading.model.venue import OpenOrderKind
from trading.rules import Rules


def plan(rules: Rules = RULES) -> tuple[RiskApproved, Position]:
    approved = SCENE.decide()
    assert isinstance(approved, RiskApproved)
    return approved, plan_position(approved, rules, "1.2.3", NOW)


def intent_of(position: Position, purpose: Purpose) -> OrderIntent:
    found = position.intent(purpose)
    assert found is not None
    return found


def test_plan_holds_stop_and_entry_unsent() -> None:
    approved, position = plan()
    assert position.state is PositionState.OPENING
    assert {each.purpose for each in position.intents} == {Purpose.STOP, Purpose.ENTRY}
    assert {each.state for each in position.intents} == {IntentState.PLANNED}
    assert {each.quantity for each in position.intents} == {approved.sizing.quantity}
    assert position.id == approved.signal.id
    assert (position.code_version, position.rules_fingerprint) == ("1.2.3", RULES.fingerprint)


def test_planned_stop_only_reduces_and_entry_opens() -> None:
    _, position = plan()
    stop, entry = intent_of(position, Purpose.STOP), intent_of(position, Purpose.ENTRY)
    assert (stop.side, stop.type, stop.reduce_only, stop.trigger_price) == (OrderSide.SELL, OrderType.STOP, True, 98)
    assert (entry.side, entry.type, entry.reduce_only, entry.limit_price) == (
        OrderSide.BUY,
        OrderType.POST,
        False,
        100,
    )


def test_entry_that_may_take_is_a_limit() -> None:
    _, position = plan(rules_with('{"cost": {"entry_rests": false}}'))
    assert intent_of(position, Purpose.ENTRY).type is OrderType.LIMIT


def test_same_approval_plans_the_same_orders() -> None:
    assert plan()[1] == plan()[1]


def test_exit_never_asks_for_more_than_shown() -> None:
    assert exit_intent(filled(quantity=Quantity(3)), NOW).quantity == 3


def test_stop_that_stands_as_meant_has_no_fault() -> None:
    position = waiting()
    stop = intent_of(position, Purpose.STOP)
    assert stop_faults(stop, position.contract, [order_of(position, stop)]) == ()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"contract": "PF_OTHERUSD"}, "contract"),
        ({"kind": OpenOrderKind.TAKE_PROFIT}, "kind"),
        ({"side": OrderSide.BUY}, "side"),
        ({"open_quantity": Quantity("9.99")}, "quantity"),
        ({"trigger_price": Price("97.9")}, "trigger price"),
        ({"trigger_price": None}, "trigger price"),
        ({"reduce_only": False}, "reduce-only"),
        ({"trigger_signal": "last"}, "trigger signal"),
        ({"trigger_signal": None}, "trigger signal"),
    ],
)
def test_wrong_field_of_a_stop_is_named(changes: dict[str, Any], word: str) -> None:
    position = waiting()
    stop = intent_of(position, Purpose.STOP)
    faults = stop_faults(stop, position.contract, [order_of(position, stop, **changes)])
    assert len(faults) == 1
    assert word in faults[0]


def test_stop_that_is_not_shown_is_a_fault() -> None:
    position = waiting()
    entry = intent_of(position, Purpose.ENTRY)
    faults = stop_faults(intent_of(position, Purpose.STOP), position.contract, [order_of(position, entry)])
    assert faults == ("the stop is not among the working orders",)
