"""A position that is being closed, one that is not ours, and one that is flat."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.records import NOW, filled, levels, waiting, with_state
from tests.unit.execution.due_steps import sends, steps, with_targets
from trading.execution.protection import clearing_steps
from trading.model.orders import IntentState, OrderType, Purpose
from trading.model.positions import PositionState
from trading.model.steps import Cancel
from trading.model.units import Quantity

S = IntentState
CLOSING = PositionState.CLOSING


def test_closing_sends_one_exit_and_keeps_the_stop() -> None:
    found = steps(filled(state=CLOSING))
    exits = sends(found, Purpose.EXIT)
    assert [(each.type, each.quantity, each.reduce_only) for each in exits] == [(OrderType.MARKET, 10, True)]
    assert not any(isinstance(each, Cancel) for each in found)


def test_closing_without_stop_beyond_mark_exits_once() -> None:
    found = steps(with_state(filled(state=CLOSING), Purpose.STOP, S.CANCELLED), mark=97)
    assert len(sends(found, Purpose.EXIT)) == 1


@pytest.mark.parametrize(
    ("state", "again"),
    [(S.SENDING, 0), (S.LIVE, 0), (S.PARTIAL, 0), (S.PLANNED, 0), (S.REJECTED, 1), (S.CANCELLED, 1), (S.FILLED, 1)],
)
def test_next_exit_waits_for_the_last(state: IntentState, again: int) -> None:
    closing = filled(state=CLOSING)
    first = sends(steps(closing), Purpose.EXIT)[0]
    position = closing.with_intent(replace(first, state=state))
    found = sends(steps(position), Purpose.EXIT)
    assert len(found) == again
    assert all(each.generation == 2 for each in found)


def test_exit_in_doubt_is_sent_again_then_followed() -> None:
    closing = filled(state=CLOSING)
    first = replace(sends(steps(closing), Purpose.EXIT)[0], state=S.UNKNOWN)
    assert sends(steps(closing.with_intent(first)), Purpose.EXIT) == [first]
    again = closing.with_intent(replace(first, resent_at=NOW))
    assert sends(steps(again), Purpose.EXIT)[0].generation == 2


def test_foreign_position_gets_a_stop_and_nothing_else() -> None:
    foreign = replace(filled(state=PositionState.FOREIGN), intents=(), fills=())
    assert [each.purpose for each in sends(steps(foreign))] == [Purpose.STOP]


@pytest.mark.parametrize("state", [each for each in PositionState if each is not PositionState.CLOSED])
def test_empty_quantity_alone_takes_nothing_off(state: PositionState) -> None:
    position = replace(with_targets(filled()), state=state, quantity=Quantity(0))
    assert steps(position) == ()


def test_flat_position_is_cleared_of_what_works() -> None:
    position = with_state(with_targets(filled()), Purpose.TARGET_1, S.FILLED)
    found = clearing_steps(position)
    stop, second = position.intent(Purpose.STOP), position.intent(Purpose.TARGET_2)
    assert stop is not None
    assert second is not None
    assert {each.client_order_id for each in found if isinstance(each, Cancel)} == {
        stop.client_order_id,
        second.client_order_id,
    }


def test_waiting_entry_needs_no_protective_step() -> None:
    assert steps(waiting()) == ()
    assert levels().stop_distance == 2
