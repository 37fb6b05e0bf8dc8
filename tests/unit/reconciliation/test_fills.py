"""Fills are recorded once each, in any order, however often and by whatever id they are shown."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.records import NOW, RULES, closing_side, fill_of, filled, planned, seconds, waiting, with_state
from tests.unit.reconciliation.views import intent_of, settled
from trading.execution.plan import target_intent
from trading.model.orders import IntentState, OrderSide, Purpose
from trading.model.positions import Position
from trading.model.units import Price, Quantity
from trading.model.venue import Fill
from trading.reconciliation.settle import apply_fills

EXECUTION = RULES.execution


def entry_fills(position: Position) -> list[Fill]:
    """Ten executions of one coin each that fill the entry."""
    entry = intent_of(position, Purpose.ENTRY)
    return [fill_of(position, entry, 1, f"f{number}", at=NOW + seconds(number)) for number in range(10)]


@given(st.permutations(range(10)), st.lists(st.integers(0, 9), max_size=12), st.integers(0, 10))
def test_fills_count_once_in_any_order(order: list[int], again: list[int], cut: int) -> None:
    position = waiting()
    fills = entry_fills(position)
    shown = [fills[number] for number in (*order, *again)]
    position = apply_fills(apply_fills(position, tuple(shown[:cut])), tuple(shown))
    entry = intent_of(position, Purpose.ENTRY)
    assert position.entered == entry.filled == 10
    assert entry.state is IntentState.FILLED
    assert len(position.fills) == 10
    assert position.average_entry == 100


@given(st.lists(st.sampled_from(range(10)), unique=True, max_size=9))
def test_partial_fills_never_exceed_the_order(some: list[int]) -> None:
    position = waiting()
    position = apply_fills(position, tuple(entry_fills(position)[number] for number in some))
    entry = intent_of(position, Purpose.ENTRY)
    assert entry.filled == len(some)
    assert entry.state is (IntentState.PARTIAL if some else IntentState.LIVE)


def test_fill_during_send_moves_the_intent_on() -> None:
    for state in (IntentState.SENDING, IntentState.UNKNOWN):
        position = with_state(waiting(), Purpose.ENTRY, state)
        moved = apply_fills(position, tuple(entry_fills(position)))
        assert intent_of(moved, Purpose.ENTRY).state is IntentState.FILLED


def test_late_fill_of_cancelled_entry_is_kept() -> None:
    position = with_state(waiting(), Purpose.ENTRY, IntentState.CANCELLED)
    moved = apply_fills(position, tuple(entry_fills(position)[:2]))
    assert (moved.entered, intent_of(moved, Purpose.ENTRY).state) == (2, IntentState.CANCELLED)


def test_activated_stop_is_known_by_its_venue_id() -> None:
    position = filled()
    stop = intent_of(position, Purpose.STOP)
    nameless = fill_of(position, stop, 10, client_order_id=None)
    moved = apply_fills(position, (nameless,))
    assert moved.left == 10
    assert intent_of(moved, Purpose.STOP).state is IntentState.FILLED
    assert moved.fills[-1].client_order_id == stop.client_order_id


def test_own_fill_counts_whatever_the_clocks_say() -> None:
    position = waiting()
    early = fill_of(position, intent_of(position, Purpose.ENTRY), 10, at=NOW - seconds(5))
    assert apply_fills(position, (early,)).entered == 10


def test_strangers_closing_fill_counts_as_gone() -> None:
    position = filled()
    stranger = fill_of(
        position, intent_of(position, Purpose.STOP), 4, order_id="not-ours", client_order_id=None, kind="liquidation"
    )
    moved = apply_fills(position, (stranger,))
    assert moved.left == 4
    assert intent_of(moved, Purpose.STOP).state is IntentState.LIVE
    assert moved.fills[-1].client_order_id is None


def test_strangers_other_fills_are_left_alone() -> None:
    position = filled()
    stop = intent_of(position, Purpose.STOP)
    stranger = fill_of(position, stop, 4, order_id="not-ours", client_order_id=None)
    opening = replace(stranger, side=OrderSide.opening(position.side))
    before = replace(stranger, at=NOW - seconds(1))
    elsewhere = replace(stranger, contract="PF_OTHERUSD")
    assert apply_fills(position, (opening, before, elsewhere)) == position
    assert apply_fills(planned(), (stranger,)) == planned()
    assert stranger.side is closing_side(position)


def test_first_target_is_remembered_once() -> None:
    position = filled()
    target = replace(target_intent(position, Purpose.TARGET_1, Quantity(4), Price(102), NOW), state=IntentState.LIVE)
    position = position.with_intent(target)
    first = fill_of(position, target, 1, "t1", at=NOW + seconds(30))
    second = fill_of(position, target, 3, "t2", at=NOW + seconds(60))
    moved = apply_fills(position, (first, second))
    assert moved.first_target_at == NOW + seconds(30)
    assert moved.left == 4
    assert moved.average_exit == Decimal(102)


def test_settle_takes_quantity_from_the_venue() -> None:
    assert settled(filled()).quantity == 0
    assert settled(filled(), fills=entry_fills(filled())).quantity == 0
