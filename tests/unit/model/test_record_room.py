"""A position record makes room for another order without losing one that worked or the newest of a purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.records import NOW, filled, seconds, waiting, with_state
from trading.execution.plan import exit_intent
from trading.model.orders import IntentState, Purpose
from trading.model.positions import ORDERS_KEPT, Position

S = IntentState


def with_refused_exits(count: int) -> Position:
    position = filled()
    for number in range(count):
        intent = exit_intent(position, NOW + seconds(number))
        position = position.with_intent(replace(intent, state=S.REJECTED))
    return position


def test_short_record_keeps_every_order() -> None:
    position = with_refused_exits(5)
    assert position.without_old_refusals() is position


def test_oldest_refusals_make_room_for_another_order() -> None:
    position = with_refused_exits(ORDERS_KEPT + 3)
    kept = position.without_old_refusals()
    assert len(kept.intents) == ORDERS_KEPT - 1
    assert kept.intent(Purpose.EXIT) == position.intent(Purpose.EXIT)
    for purpose in (Purpose.ENTRY, Purpose.STOP):
        assert kept.intent(purpose) == position.intent(purpose)


@pytest.mark.parametrize(("state", "nothing"), [(S.CANCELLED, True), (S.LIVE, False), (S.PARTIAL, False)])
def test_entry_that_ended_unfilled_came_to_nothing(state: IntentState, nothing: bool) -> None:
    assert with_state(waiting(), Purpose.ENTRY, state).came_to_nothing is nothing
