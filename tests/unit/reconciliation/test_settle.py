"""What becomes of an intent: working orders, look-ups, and silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from tests.fakes.records import (
    NOW,
    fill_of,
    filled,
    held,
    order_of,
    planned,
    report_of,
    seconds,
    waiting,
    with_state,
)
from tests.unit.reconciliation.views import intent_of, settled
from trading.execution.plan import exit_intent, target_intent
from trading.model.instruments import Side
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position, PositionState
from trading.model.units import Price, Quantity
from trading.model.venue import OrderFate, VenuePosition
from trading.reconciliation.settle import in_doubt

S = IntentState
LATE = NOW + seconds(46)  # process_before 10 s, visible by 35 s later


def entry_in(state: IntentState) -> Position:
    return with_state(waiting(), Purpose.ENTRY, state)


def entry_after(position: Position, at: datetime = NOW, **shown: object) -> IntentState:
    return intent_of(settled(position, at, **shown), Purpose.ENTRY).state


@pytest.mark.parametrize("state", [S.SENDING, S.UNKNOWN, S.LIVE])
def test_lost_reply_is_found_as_working(state: IntentState) -> None:
    position = entry_in(state)
    order = order_of(position, intent_of(position, Purpose.ENTRY), order_id="v-9")
    found = intent_of(settled(position, open_orders=[order]), Purpose.ENTRY)
    assert (found.state, found.venue_order_id) == (S.LIVE, "v-9")


def test_lost_reply_is_found_as_filled() -> None:
    position = entry_in(S.UNKNOWN)
    fill = fill_of(position, intent_of(position, Purpose.ENTRY), 10)
    assert entry_after(position, fills=[fill]) is S.FILLED


@pytest.mark.parametrize(
    ("fate", "end"), [(OrderFate.CANCELLED, S.CANCELLED), (OrderFate.REJECTED, S.REJECTED), (OrderFate.WORKING, S.LIVE)]
)
def test_lost_reply_is_found_by_look_up(fate: OrderFate, end: IntentState) -> None:
    for state in (S.UNKNOWN, S.SENDING):
        position = entry_in(state)
        report = report_of(position, intent_of(position, Purpose.ENTRY), fate)
        found = entry_after(position, LATE, reports=[report])
        assert found is (S.CANCELLED if (fate, state) == (OrderFate.REJECTED, S.SENDING) else end)


@pytest.mark.parametrize(("fate", "shown"), [(OrderFate.FILLED, 10), (OrderFate.FILLED, 0), (OrderFate.CANCELLED, 3)])
@pytest.mark.parametrize("state", [S.LIVE, S.PARTIAL, S.UNKNOWN, S.SENDING, S.CANCEL_PENDING])
def test_entry_with_unseen_fills_does_not_end(fate: OrderFate, shown: int, state: IntentState) -> None:
    position = entry_in(state)
    report = report_of(position, intent_of(position, Purpose.ENTRY), fate, shown)
    assert not entry_after(position, LATE, reports=[report]).terminal


def test_cancelled_entry_ends_with_its_fills_known() -> None:
    position = entry_in(S.CANCEL_PENDING)
    entry = intent_of(position, Purpose.ENTRY)
    report = report_of(position, entry, OrderFate.CANCELLED, 3)
    moved = settled(position, fills=[fill_of(position, entry, 3)], reports=[report], positions=[held(position, 3)])
    assert intent_of(moved, Purpose.ENTRY).state is S.CANCELLED
    assert (moved.entered, moved.quantity, moved.state) == (3, 3, PositionState.PROTECTED)


def test_unknown_ends_only_after_two_spaced_absences() -> None:
    position = entry_in(S.UNKNOWN)
    early = settled(position, NOW + seconds(45))
    assert intent_of(early, Purpose.ENTRY).absences == ()
    first = settled(early, LATE)
    assert intent_of(first, Purpose.ENTRY).absences == (LATE,)
    too_soon = settled(first, LATE + seconds(14))
    assert intent_of(too_soon, Purpose.ENTRY).state is S.UNKNOWN
    assert entry_after(too_soon, LATE + seconds(15)) is S.NOT_PLACED


def test_reappearance_forgets_earlier_absences() -> None:
    first = settled(entry_in(S.UNKNOWN), LATE)
    entry = intent_of(first, Purpose.ENTRY)
    back = settled(first, LATE + seconds(60), open_orders=[order_of(first, entry)])
    assert intent_of(back, Purpose.ENTRY).absences == ()
    assert intent_of(back, Purpose.ENTRY).state is S.LIVE


def test_working_report_is_no_absence() -> None:
    position = entry_in(S.UNKNOWN)
    report = report_of(position, intent_of(position, Purpose.ENTRY), OrderFate.WORKING)
    for later in (LATE, LATE + seconds(60), LATE + seconds(120)):
        position = settled(position, later, reports=[report])
    assert intent_of(position, Purpose.ENTRY).state is S.LIVE


def test_failed_look_up_is_no_absence() -> None:
    position = entry_in(S.UNKNOWN)
    blind = frozenset({position.contract})
    for later in (LATE, LATE + seconds(60), LATE + seconds(120)):
        position = settled(position, later, not_looked_up=blind)
    assert intent_of(position, Purpose.ENTRY).absences == ()


def test_send_without_answer_becomes_unknown() -> None:
    position = entry_in(S.SENDING)
    assert entry_after(position, NOW + seconds(25)) is S.SENDING
    assert entry_after(position, NOW + seconds(25.001)) is S.UNKNOWN


def sending(purpose: Purpose) -> Position:
    position = filled().with_intent(exit_intent(filled(), NOW))
    position = position.with_intent(target_intent(position, Purpose.TARGET_1, Quantity(1), Price(101), NOW))
    return with_state(position, purpose, S.SENDING)


def test_stop_of_a_standing_position_is_doubted_at_once() -> None:
    """Asked for again it is the same order by its id; the position may have nothing else that covers it."""
    position = sending(Purpose.STOP)
    assert intent_of(settled(position, NOW, positions=[held(position)]), Purpose.STOP).state is S.UNKNOWN
    shown = order_of(position, intent_of(position, Purpose.STOP))
    there = settled(position, NOW, positions=[held(position)], open_orders=[shown])
    assert intent_of(there, Purpose.STOP).state is S.LIVE


@pytest.mark.parametrize("shown", [[], [held(filled(), side=Side.SHORT)], [held(filled(), quantity=Quantity(0))]])
def test_stop_of_nothing_waits_for_its_sender(shown: list[VenuePosition]) -> None:
    position = sending(Purpose.STOP)
    assert intent_of(settled(position, NOW + seconds(25), positions=shown), Purpose.STOP).state is S.SENDING
    assert intent_of(settled(position, NOW + seconds(25.001), positions=shown), Purpose.STOP).state is S.UNKNOWN


@pytest.mark.parametrize("purpose", [Purpose.TARGET_1, Purpose.EXIT])
def test_other_orders_wait_for_their_sender(purpose: Purpose) -> None:
    position = sending(purpose)
    before = settled(position, NOW + seconds(25), positions=[held(position)])
    after = settled(position, NOW + seconds(25.001), positions=[held(position)])
    assert (intent_of(before, purpose).state, intent_of(after, purpose).state) == (S.SENDING, S.UNKNOWN)


def test_live_entry_never_ends_by_silence() -> None:
    position = entry_in(S.LIVE)
    for hours in range(1, 5):
        position = settled(position, NOW + seconds(3600 * hours))
    assert intent_of(position, Purpose.ENTRY).state is S.LIVE


@pytest.mark.parametrize("state", [S.LIVE, S.PARTIAL, S.CANCEL_PENDING])
def test_vanished_stop_ends_after_two_looks(state: IntentState) -> None:
    position = with_state(filled(), Purpose.STOP, state)
    shown = {"positions": [held(position)]}
    once = settled(position, NOW + seconds(60), **shown)
    assert intent_of(once, Purpose.STOP).state is state
    twice = settled(once, NOW + seconds(120), **shown)
    assert intent_of(twice, Purpose.STOP).state is S.CANCELLED
    assert twice.state is PositionState.UNPROTECTED


def test_vanished_exit_makes_room_for_another() -> None:
    closing = filled(state=PositionState.CLOSING)
    position = with_state(closing.with_intent(exit_intent(closing, NOW)), Purpose.EXIT, S.LIVE)
    for later in (60, 120):
        position = settled(position, NOW + seconds(later), positions=[held(position)])
    assert intent_of(position, Purpose.EXIT).state is S.CANCELLED


def test_cancel_pending_ends_by_report_or_fill() -> None:
    position = entry_in(S.CANCEL_PENDING)
    entry = intent_of(position, Purpose.ENTRY)
    assert entry_after(position, open_orders=[order_of(position, entry)]) is S.CANCEL_PENDING
    assert entry_after(position, reports=[report_of(position, entry, OrderFate.CANCELLED)]) is S.CANCELLED
    assert entry_after(position, fills=[fill_of(position, entry, 10)]) is S.FILLED


def test_final_report_wins_over_a_stale_one() -> None:
    position = filled()
    stop = intent_of(position, Purpose.STOP)
    reports = [report_of(position, stop, fate) for fate in (OrderFate.WORKING, OrderFate.CANCELLED)]
    assert intent_of(settled(position, reports=reports), Purpose.STOP).state is S.CANCELLED


def test_planned_repair_of_a_dead_sender_is_abandoned() -> None:
    position = filled(state=PositionState.CLOSING)
    position = position.with_intent(exit_intent(position, NOW))
    shown = {"positions": [held(position)]}
    assert intent_of(settled(position, NOW + seconds(25), **shown), Purpose.EXIT).state is S.PLANNED
    assert intent_of(settled(position, NOW + seconds(26), **shown), Purpose.EXIT).state is S.ABANDONED


def test_planned_entry_is_left_to_its_own_rules() -> None:
    assert settled(planned(), NOW + seconds(600)) == planned()


@pytest.mark.parametrize(
    ("stop", "quantity", "state"),
    [
        (S.LIVE, 10, PositionState.PROTECTED),
        (S.LIVE, "10.01", PositionState.UNPROTECTED),
        (S.CANCELLED, 10, PositionState.UNPROTECTED),
        (S.UNKNOWN, 10, PositionState.UNPROTECTED),
        (S.CANCEL_PENDING, 10, PositionState.UNPROTECTED),
    ],
)
def test_cover_decides_whether_it_is_protected(stop: IntentState, quantity: object, state: PositionState) -> None:
    position = with_state(filled(), Purpose.STOP, stop)
    moved = settled(position, positions=[held(position, quantity)])
    assert (moved.state, moved.quantity) == (state, Quantity(str(quantity)))
    assert moved.unprotected_since == (NOW if state is PositionState.UNPROTECTED else None)


def test_naked_time_counts_from_its_beginning() -> None:
    position = with_state(filled(), Purpose.STOP, S.CANCELLED)
    first = settled(position, positions=[held(position)])
    later = settled(first, NOW + seconds(60), positions=[held(position)])
    assert later.unprotected_since == NOW


def test_opposite_position_is_not_taken_over() -> None:
    position = filled()
    moved = settled(position, positions=[held(position, side=position.side.opposite)])
    assert moved.quantity == 0


def test_settling_twice_changes_nothing_more() -> None:
    position = waiting()
    entry, stop = intent_of(position, Purpose.ENTRY), intent_of(position, Purpose.STOP)
    shown = {
        "fills": [fill_of(position, entry, 10)],
        "positions": [held(position)],
        "open_orders": [order_of(position, stop)],
    }
    once = settled(position, **shown)
    assert settled(once, **shown) == once


def test_only_unseen_orders_are_looked_up() -> None:
    position = waiting()
    stop = intent_of(position, Purpose.STOP)
    assert [each.purpose for each in in_doubt(position, (order_of(position, stop),))] == [Purpose.ENTRY]
    assert in_doubt(planned(), ()) == ()
    nameless = replace(order_of(position, stop), client_order_id=None)
    assert [each.purpose for each in in_doubt(position, (nameless,))] == [Purpose.ENTRY]


@pytest.mark.parametrize("state", [S.SENDING, S.UNKNOWN, S.LIVE, S.PARTIAL, S.CANCEL_PENDING])
@pytest.mark.parametrize("fate", [OrderFate.FILLED, OrderFate.CANCELLED, OrderFate.REJECTED, None])
def test_entry_ends_by_nothing_while_fills_are_unknown(state: IntentState, fate: OrderFate | None) -> None:
    position = entry_in(state)
    reports = [report_of(position, intent_of(position, Purpose.ENTRY), fate)] if fate else []
    for at in (LATE, LATE + seconds(60), LATE + seconds(600)):
        position = settled(position, at, reports=reports, fills_known=False)
    assert intent_of(position, Purpose.ENTRY).state is state


def test_vanished_stop_leaves_position_naked_also_without_fills() -> None:
    position = with_state(waiting(), Purpose.STOP, S.LIVE)
    for at in (LATE, LATE + seconds(60), LATE + seconds(600)):
        position = settled(position, at, positions=[held(position)], fills_known=False)
    assert intent_of(position, Purpose.STOP).state is S.CANCELLED
    assert (position.state, position.quantity) == (PositionState.UNPROTECTED, 10)


def test_order_of_unknown_deadline_is_left_as_it_is() -> None:
    position = with_state(filled(), Purpose.STOP, S.LIVE, process_before=None)
    assert intent_of(settled(position, LATE), Purpose.STOP) == intent_of(position, Purpose.STOP)


def test_stop_is_counted_by_its_own_figures() -> None:
    position = filled()
    stop = intent_of(position, Purpose.STOP)
    part = fill_of(position, stop, 4)
    before = order_of(position, stop)
    moved = settled(position, fills=[part], open_orders=[before], positions=[held(position, 6)])
    assert (intent_of(moved, Purpose.STOP).quantity, intent_of(moved, Purpose.STOP).open_quantity) == (10, 6)
    later = order_of(position, stop, open_quantity=Quantity(6), filled=Quantity(4))
    assert settled(moved, fills=[part], open_orders=[later], positions=[held(position, 6)]) == moved
