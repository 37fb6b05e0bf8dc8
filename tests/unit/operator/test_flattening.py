"""Which records are to be closed, by level or by a person's order, and what the order leaves alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.control.records import entry, position, with_live
from trading.execution.flattening import HELD, ordered_to_close, to_be_closed, under_kill_level
from trading.model.control import KillLevel, RiskDay, count_rejection
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position, PositionState
from trading.model.units import Money, Quantity

STATES = [each for each in PositionState if each is not PositionState.CLOSED]


def opening(state: IntentState) -> Position:
    made = replace(position(state=PositionState.OPENING), quantity=Quantity(0))
    return made.with_intent(replace(entry(made), state=state))


@pytest.mark.parametrize("level", list(KillLevel))
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("quantity", ["0", "0.5"])
def test_held_position_closes_by_level_or_order(
    level: KillLevel, state: PositionState, ordered: bool, quantity: str
) -> None:
    before = replace(position(state=state), quantity=Quantity(quantity), close_reason="flatten" if ordered else "")
    after = under_kill_level(before, level)
    due = (level >= KillLevel.FLATTEN or ordered) and quantity != "0" and state in HELD
    expected = replace(before, state=PositionState.CLOSING, close_reason="flatten") if due else before
    assert after == expected


def test_reason_that_is_there_already_stays() -> None:
    before = replace(position(), close_reason="time_exit")
    assert under_kill_level(before, KillLevel.FLATTEN).close_reason == "time_exit"
    assert under_kill_level(before, KillLevel.CANCEL_ENTRIES) == before


@pytest.mark.parametrize("state", list(IntentState))
def test_order_stands_while_the_entry_may_fill(state: IntentState) -> None:
    ordered = ordered_to_close(opening(state))
    entered = ordered.intent(Purpose.ENTRY)
    assert entered is not None
    assert to_be_closed(ordered) == (not state.terminal)
    assert entered.state is (IntentState.ABANDONED if state is IntentState.PLANNED else state)
    assert ordered.state is PositionState.OPENING


def test_given_up_entry_says_why() -> None:
    ordered = ordered_to_close(opening(IntentState.PLANNED))
    entered = ordered.intent(Purpose.ENTRY)
    assert entered is not None
    assert (entered.reason, ordered.close_reason) == ("flatten", "flatten")


def test_every_order_that_was_never_sent_is_given_up() -> None:
    made = opening(IntentState.PLANNED)
    stop = made.intent(Purpose.STOP)
    assert stop is not None
    ordered = ordered_to_close(made.with_intent(replace(stop, state=IntentState.PLANNED)))
    assert {each.state for each in ordered.intents} == {IntentState.ABANDONED}


def test_held_position_closes_with_its_entry_still_working() -> None:
    made = with_live(position(), entry(position()))
    ordered = ordered_to_close(made)
    assert (ordered.state, ordered.close_reason) == (PositionState.CLOSING, "flatten")
    assert ordered.intents == made.intents


@pytest.mark.parametrize("reason", ["", "time_exit"])
def test_closing_position_is_left_as_it_is(reason: str) -> None:
    closing = replace(position(state=PositionState.CLOSING), close_reason=reason)
    assert ordered_to_close(closing) == closing


@pytest.mark.parametrize(("rejected", "before", "after"), [(True, 2, 3), (False, 2, 0)])
def test_rejections_are_counted_in_a_row(rejected: bool, before: int, after: int) -> None:
    one = Money(1)
    day = RiskDay(
        day=RiskDay.unknown("", 0).day, start_equity=one, peak_equity=one, last_equity=one, halted_on=None,
        rejections=before,
    )  # fmt: skip
    counted = count_rejection(day, rejected, 4)
    assert (counted.rejections, counted.reached) == (after, ())
