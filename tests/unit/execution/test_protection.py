"""Protective steps: the stop first and for everything, targets never more than there is, nothing taken off too soon."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.records import NOW, RULES, filled, planned, rules_with, seconds, with_state
from tests.unit.execution.due_steps import naked, reduced, sends, steps, with_targets
from trading.execution.plan import stop_intent
from trading.execution.protection import beyond_stop, protective_steps
from trading.model.instruments import Side
from trading.model.orders import IntentState, OrderSide, OrderType, Purpose
from trading.model.positions import Position, PositionState
from trading.model.steps import Cancel, Leave, Send, Step
from trading.model.units import Price, Quantity

S = IntentState
CLOSING = PositionState.CLOSING


@pytest.mark.parametrize("side", list(Side))
def test_naked_position_gets_its_stop_first(side: Side) -> None:
    position = with_state(filled(side=side, state=PositionState.UNPROTECTED), Purpose.STOP, S.CANCELLED)
    first = steps(position)[0]
    assert isinstance(first, Send)
    stop = first.intent
    assert (stop.purpose, stop.generation, stop.type) == (Purpose.STOP, 2, OrderType.STOP)
    assert (stop.quantity, stop.trigger_price, stop.reduce_only) == (10, position.levels.stop, True)
    assert stop.side is OrderSide.closing(side)


def test_missing_quote_never_delays_the_stop() -> None:
    assert sends(steps(naked(), mark=None))[0].purpose is Purpose.STOP


def test_covered_position_needs_no_new_stop() -> None:
    assert sends(steps(filled()), Purpose.STOP) == []


def test_stop_shrinks_with_the_position() -> None:
    position = with_targets(reduced(filled(), 6), first=4)
    stop = sends(steps(position), Purpose.STOP)[0]
    assert stop.quantity == 6
    assert not any(isinstance(each, Cancel) for each in steps(position))


def test_stop_is_not_shrunk_against_the_fills() -> None:
    position = replace(with_targets(filled(), first=4), quantity=Quantity(6))
    assert position.entered - position.left == 10
    assert not any(isinstance(each, Cancel) or each.intent.purpose is Purpose.STOP for each in steps(position))


def test_adopted_position_is_covered_as_it_is_shown() -> None:
    ours = filled()
    shown = replace(ours, intents=tuple(each for each in ours.intents if each.purpose is Purpose.STOP), fills=())
    assert sends(steps(replace(shown, quantity=Quantity(6))), Purpose.STOP)[0].quantity == 6


def test_old_stop_goes_only_after_new_works() -> None:
    position = replace(filled(), stop=Price("100.2"))
    first_round = steps(position)
    assert [type(each) for each in first_round][:1] == [Send]
    assert not any(isinstance(each, Cancel) for each in first_round)
    new = stop_intent(position, Quantity(10), NOW)
    for state in (S.SENDING, S.UNKNOWN, S.REJECTED):
        pending = position.with_intent(replace(new, state=state))
        assert not any(isinstance(each, Cancel) for each in steps(pending))
    working = position.with_intent(replace(new, state=S.LIVE))
    old = position.intent(Purpose.STOP)
    assert old is not None
    assert [each.client_order_id for each in steps(working) if isinstance(each, Cancel)] == [old.client_order_id]


def test_stop_being_sent_is_waited_for() -> None:
    position = with_state(naked(), Purpose.STOP, S.SENDING)
    assert sends(steps(position), Purpose.STOP) == []


def test_unknown_stop_is_sent_again_then_replaced() -> None:
    position = with_state(naked(), Purpose.STOP, S.UNKNOWN)
    assert sends(steps(position), Purpose.STOP) == [position.intent(Purpose.STOP)]
    again = with_state(naked(), Purpose.STOP, S.UNKNOWN, resent_at=NOW)
    assert sends(steps(again), Purpose.STOP)[0].generation == 2


@pytest.mark.parametrize("changes", [{"quantity": Quantity(4)}, {"trigger_price": Price(97)}])
def test_unknown_stop_that_is_not_meant_is_replaced(changes: dict[str, Any]) -> None:
    position = with_state(naked(), Purpose.STOP, S.UNKNOWN, **changes)
    assert sends(steps(position), Purpose.STOP)[0].generation == 2


def test_open_entry_keeps_the_planned_stop() -> None:
    bought = (replace(filled().fills[0], quantity=Quantity(4)),)
    position = with_state(filled(quantity=Quantity(4), fills=bought), Purpose.ENTRY, S.PARTIAL, filled=Quantity(4))
    assert steps(position) == ()
    ended = with_state(position, Purpose.ENTRY, S.CANCELLED, filled=Quantity(4))
    assert sends(steps(ended), Purpose.STOP)[0].quantity == 4


@pytest.mark.parametrize(
    ("side", "mark", "beyond"), [("long", 98, True), ("long", "98.1", False), ("short", 102, True)]
)
def test_mark_beyond_stop_leaves_at_the_market(side: str, mark: Any, beyond: bool) -> None:
    position = with_state(filled(side=Side(side), state=PositionState.UNPROTECTED), Purpose.STOP, S.CANCELLED)
    assert beyond_stop(position, Price(mark)) is beyond
    first = steps(position, mark=mark)[0]
    assert (first == Leave(reason="beyond_stop")) is beyond
    assert bool(sends((first,), Purpose.STOP)) is not beyond


def test_exit_beyond_stop_can_be_switched_off() -> None:
    off = rules_with('{"reconciliation": {"stop_beyond_mark_exit": false}}')
    assert steps(naked(), mark=97) == (Leave(reason="beyond_stop"),)
    assert sends(steps(naked(), mark=97, rules=off))[0].purpose is Purpose.STOP


def refused_stops(count: int) -> Position:
    position = naked()
    for _ in range(count):
        position = position.with_intent(replace(stop_intent(position, Quantity(10), NOW), state=S.REJECTED))
    return position


@pytest.mark.parametrize("count", [2, 3])
def test_three_refused_stops_mean_leaving(count: int) -> None:
    found = steps(refused_stops(count))
    assert (found == (Leave(reason="stops_refused"),)) is (count == 3)
    assert bool(sends(found, Purpose.STOP)) is (count == 2)


@pytest.mark.parametrize("word", ["marketSuspended", "wouldNotReducePosition"])
def test_stops_refused_for_now_are_no_reason_to_leave(word: str) -> None:
    position = refused_stops(2)
    newest = replace(stop_intent(position, Quantity(10), NOW), state=S.REJECTED, reason=word)
    assert sends(steps(position.with_intent(newest)), Purpose.STOP)


def failed_stops(state: IntentState, count: int = 2, **changes: Any) -> Position:
    """Unprotected since NOW; these stops were tried since and came to nothing."""
    position = naked(unprotected_since=NOW)
    for _ in range(count):
        intent = replace(stop_intent(position, Quantity(10), NOW), state=state, resent_at=NOW, reason="marketSuspended")
        position = position.with_intent(intent)
    return replace(position, **changes)


def later(position: Position, seconds_on: float, rules: Any = RULES) -> tuple[Step, ...]:
    return protective_steps(position, Price(100), rules, NOW + seconds(seconds_on))


@pytest.mark.parametrize("state", [S.REJECTED, S.UNKNOWN, S.NOT_PLACED])
def test_position_whose_stops_keep_failing_is_closed(state: IntentState) -> None:
    position = failed_stops(state)
    assert sends(later(position, 120), Purpose.STOP)
    assert later(position, 121) == (Leave(reason="unprotected"),)
    patient = rules_with('{"execution": {"unprotected_maximum_s": 600}}')
    assert sends(later(position, 121, patient), Purpose.STOP)


@pytest.mark.parametrize(
    "position",
    [
        failed_stops(S.REJECTED, count=1),
        failed_stops(S.REJECTED, unprotected_since=None),
        failed_stops(S.REJECTED, unprotected_since=NOW + seconds(1)),
    ],
)
def test_time_alone_closes_no_position(position: Position) -> None:
    assert sends(later(position, 1000), Purpose.STOP)


def test_position_of_others_leaves_only_where_its_stop_was() -> None:
    foreign = replace(refused_stops(3), state=PositionState.FOREIGN)
    entry = foreign.intent(Purpose.ENTRY)
    foreign = replace(foreign, intents=tuple(each for each in foreign.intents if each is not entry))
    assert sends(steps(foreign), Purpose.STOP)
    assert steps(foreign, mark=97) == (Leave(reason="beyond_stop"),)


def test_closing_without_any_stop_to_be_had_only_exits() -> None:
    found = steps(replace(refused_stops(3), state=CLOSING))
    assert [each.purpose for each in sends(found)] == [Purpose.EXIT]


def test_targets_follow_only_after_the_entry_ended() -> None:
    open_entry = with_state(filled(), Purpose.ENTRY, S.PARTIAL)
    assert sends(steps(open_entry), Purpose.TARGET_1) == []
    found = steps(filled())
    assert [(each.purpose, each.quantity, each.limit_price) for each in sends(found)] == [
        (Purpose.TARGET_1, 4, 102),
        (Purpose.TARGET_2, 4, 105),
    ]
    assert all(each.reduce_only and each.type is OrderType.POST for each in sends(found))


@pytest.mark.parametrize("quantity", ["0.02", "3", "5", "9.99"])
def test_targets_never_exceed_the_position(quantity: str) -> None:
    left = with_state(reduced(filled(), quantity), Purpose.STOP, S.LIVE, quantity=Quantity(quantity))
    asked = [each for each in sends(steps(left)) if each.purpose in (Purpose.TARGET_1, Purpose.TARGET_2)]
    assert sum(each.quantity for each in asked) <= Decimal(quantity)
    assert asked or quantity == "0.02"


def test_no_target_goes_out_while_a_stop_is_due() -> None:
    assert [each.purpose for each in sends(steps(naked()))] == [Purpose.STOP]
    assert sends(steps(filled()), Purpose.TARGET_1)


def test_target_too_small_for_venue_is_left_out() -> None:
    tiny = with_state(planned(quantity="0.01"), Purpose.STOP, S.LIVE)
    tiny = with_state(tiny, Purpose.ENTRY, S.FILLED)
    fills = (replace(filled().fills[0], quantity=Quantity("0.01")),)
    held = replace(tiny, quantity=Quantity("0.01"), state=PositionState.PROTECTED, fills=fills)
    assert sends(steps(held)) == []


@pytest.mark.parametrize(
    ("state", "again"),
    [(S.LIVE, 0), (S.FILLED, 0), (S.REJECTED, 0), (S.CANCELLED, 0), (S.NOT_PLACED, 1), (S.ABANDONED, 1)],
)
def test_target_is_placed_once(state: IntentState, again: int) -> None:
    position = with_state(with_targets(filled()), Purpose.TARGET_1, state, reason="postWouldExecute")
    assert len(sends(steps(position), Purpose.TARGET_1)) == again
