"""A position record makes room for another order without losing one that worked or the newest of a purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.records import NOW, filled, planned, seconds, waiting, with_state
from trading.execution.plan import exit_intent
from trading.model.orders import IntentState, Purpose
from trading.model.positions import ORDERS_KEPT, Position, RecordedFill
from trading.model.units import NOTHING, Price, Quantity

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


def test_only_never_sent_orders_are_given_up() -> None:
    """And the record says why it ends: a plan loses its entry and its stop, what was sent stays as it is."""
    sent = with_state(planned(), Purpose.ENTRY, S.SENDING)
    for position, states in ((planned(), {S.ABANDONED}), (sent, {S.SENDING, S.ABANDONED})):
        ended = position.given_up("too late")
        assert {each.state for each in ended.intents} == states
        assert {each.reason for each in ended.intents if each.state is S.ABANDONED} == {"too late"}
        assert (ended.close_reason, ended.state) == ("too late", position.state)


@pytest.mark.parametrize(("state", "nothing"), [(S.CANCELLED, True), (S.LIVE, False), (S.PARTIAL, False)])
def test_entry_that_ended_unfilled_came_to_nothing(state: IntentState, nothing: bool) -> None:
    assert with_state(waiting(), Purpose.ENTRY, state).came_to_nothing is nothing


def test_record_is_spent_when_all_is_sold() -> None:
    """And nothing more can come, and nothing is counted as its own."""
    sold = RecordedFill(
        id="out", client_order_id=None, opens=False, quantity=filled().entered, price=Price(98), at=filled().planned_at
    )
    gone = replace(filled(), fills=(*filled().fills, sold), quantity=NOTHING)
    assert gone.spent
    assert not replace(gone, quantity=Quantity(1)).spent
    assert not replace(gone, fills=filled().fills).spent
    assert not with_state(gone, Purpose.ENTRY, IntentState.LIVE).spent
    assert not with_state(waiting(), Purpose.ENTRY, IntentState.CANCELLED).spent
