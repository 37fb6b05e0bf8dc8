"""Differences as values: each kind once where it is, and never where it is not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.records import (
    NOW,
    RULES,
    beside,
    coin,
    filled,
    held,
    order_of,
    ours,
    planned,
    seconds,
    waiting,
    with_state,
)
from tests.unit.reconciliation.views import changed, intent_of, view
from trading.execution.plan import stop_intent, target_intent
from trading.model.instruments import Side
from trading.model.orders import IntentState, OrderSide, Purpose
from trading.model.positions import Position, PositionState, RecordedFill
from trading.model.units import BasisPoints, Price, Quantity
from trading.model.venue import ListedContract, OpenOrder, OpenOrderKind
from trading.reconciliation.adopting import adopt_ghost, stray_instrument
from trading.reconciliation.compare import discrepancies, ghosts, is_over, mark_missing, orphans, wrong_orders
from trading.reconciliation.view import DiscrepancyKind, VenueView

D = DiscrepancyKind


def seen(position: Position, **more: object) -> VenueView:
    shown = {"positions": [held(position)], "open_orders": [order_of(position, intent_of(position, Purpose.STOP))]}
    return view(**(shown | more))


def kinds(positions: tuple[Position, ...], shown: VenueView) -> list[DiscrepancyKind]:
    return [each.kind for each in discrepancies(positions, shown)]


def left(position: Position, quantity: object) -> Position:
    fill = RecordedFill(
        id="out", client_order_id=None, opens=False, quantity=Quantity(str(quantity)), price=Price(98), at=NOW
    )
    return replace(position, fills=(*position.fills, fill))


def test_agreeing_books_show_no_difference() -> None:
    assert kinds((filled(),), seen(filled())) == []
    assert kinds((planned(), waiting("O1")), view()) == []


def test_naked_position_is_named() -> None:
    position = filled(state=PositionState.UNPROTECTED, unprotected_since=NOW)
    assert kinds((position,), seen(position)) == [D.NAKED_POSITION]


def test_unknown_intent_is_named() -> None:
    position = with_state(waiting(), Purpose.ENTRY, IntentState.UNKNOWN)
    assert kinds((position,), view()) == [D.UNKNOWN_INTENT]


def test_position_without_record_is_a_ghost() -> None:
    shown = view(positions=[held(filled())])
    assert kinds((), shown) == [D.GHOST]
    assert [each.contract for each in ghosts((), shown)] == ["PF_COINUSD"]
    assert ghosts((filled(),), shown) == ()


def test_opposite_position_on_our_contract_is_named() -> None:
    position = replace(filled(), quantity=Quantity(0))
    opposite = view(positions=[held(position, side=Side.SHORT)])
    assert kinds((position,), opposite) == [D.OPPOSITE_POSITION, D.ZOMBIE]
    adopted = adopt_ghost(opposite.positions[0], beside(), Price(100), RULES, NOW)
    assert adopted.instrument == "PF_COINUSD"
    assert ghosts((position, adopted), opposite) == ()


def test_record_without_position_is_a_zombie() -> None:
    assert kinds((filled(quantity=Quantity(0)),), view()) == [D.ZOMBIE]
    assert kinds((left(filled(quantity=Quantity(0)), 10),), view()) == []


def test_unexplained_quantity_is_drift() -> None:
    position = filled(quantity=Quantity(9))
    assert kinds((position,), seen(position)) == [D.QUANTITY_DRIFT]
    assert kinds((left(position, 1),), seen(position)) == []


def test_working_order_without_record_is_an_orphan() -> None:
    position = filled()
    shown = seen(position, open_orders=[stranded()])
    assert kinds((position,), shown) == [D.ORPHAN_ORDER]
    assert orphans((position,), shown) == (stranded(),)


@pytest.mark.parametrize("state", [state for state in IntentState if state is not IntentState.PLANNED])
def test_order_of_an_ended_intent_is_an_orphan(state: IntentState) -> None:
    position = with_state(waiting(), Purpose.STOP, state)
    assert bool(orphans((position,), seen(position, positions=[]))) is state.terminal


def stranded(**changes: object) -> OpenOrder:
    """A stop of ours that no record knows, on the contract of a position that nothing else covers."""
    position = filled()
    known = {"client_order_id": ours("stray"), "order_id": "v-1"}
    return order_of(position, intent_of(position, Purpose.STOP), **(known | changes))


def test_stop_that_alone_covers_a_position_is_kept() -> None:
    shown = view(positions=[held(filled())], open_orders=[stranded()])
    assert orphans((), shown) == ()
    assert orphans((with_state(filled(), Purpose.STOP, IntentState.CANCELLED),), shown) == ()
    assert orphans((filled(),), shown) == (stranded(),)
    assert kinds((), shown) == [D.GHOST, D.ORPHAN_ORDER]


@pytest.mark.parametrize(
    "changes",
    [
        {"side": OrderSide.BUY},
        {"reduce_only": False},
        {"kind": OpenOrderKind.LIMIT},
        {"contract": "PF_OTHERUSD"},
    ],
)
def test_order_that_covers_nothing_is_no_stop_to_keep(changes: dict[str, object]) -> None:
    shown = view(positions=[held(filled())], open_orders=[stranded(**changes)])
    assert orphans((), shown) == shown.open_orders


def test_second_working_stop_is_named() -> None:
    position = filled()
    second = replace(stop_intent(position, Quantity(10), NOW), state=IntentState.LIVE)
    assert kinds((position.with_intent(second),), seen(position, open_orders=[])) == [D.DUPLICATE_STOP]
    pending = replace(second, state=IntentState.CANCEL_PENDING)
    assert kinds((position.with_intent(pending),), seen(position, open_orders=[])) == []


WRONG_STOPS = [
    {"contract": "PF_OTHERUSD"},
    {"side": OrderSide.BUY},
    {"reduce_only": False},
    {"kind": OpenOrderKind.TAKE_PROFIT},
    {"trigger_signal": "last"},
    {"trigger_price": Price(97)},
    {"open_quantity": Quantity(9)},
    {"open_quantity": Quantity(11)},
]


@pytest.mark.parametrize("changes", WRONG_STOPS)
def test_stop_that_is_not_what_was_meant_is_named(changes: dict[str, object]) -> None:
    position = filled()
    stop = order_of(position, intent_of(position, Purpose.STOP), **changes)
    found = discrepancies((), seen(position, open_orders=[stop]), (position,))
    (wrong,) = [each for each in found if each.kind is D.WRONG_ORDER]
    assert wrong.subject == intent_of(position, Purpose.STOP).client_order_id
    assert f" is {next(iter(changes.values()))}, not " in wrong.detail


def test_order_that_stands_as_meant_is_not_wrong() -> None:
    position = filled()
    stop, entry = (intent_of(position, each) for each in (Purpose.STOP, Purpose.ENTRY))
    half = order_of(position, stop, open_quantity=Quantity(6), filled=Quantity(4))
    ended = order_of(position, entry, side=OrderSide.SELL)
    # Its fills are read later than the order, and show more.
    seen_later = position.with_intent(replace(stop, filled=Quantity(4)))
    assert wrong_orders(seen_later, view(open_orders=[order_of(position, stop)])) == ()
    nameless = replace(half, client_order_id=None, contract="PF_OTHERUSD")
    assert wrong_orders(position, view(open_orders=[half, ended, nameless])) == ()


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [({"reduce_only": False}, 1), ({"open_quantity": Quantity(5)}, 1), ({"open_quantity": Quantity(3)}, 0)],
)
def test_target_may_shrink_and_nothing_else(changes: dict[str, object], wrong: int) -> None:
    target = replace(target_intent(filled(), Purpose.TARGET_1, Quantity(4), Price(102), NOW), state=IntentState.LIVE)
    position = filled().with_intent(target)
    assert len(wrong_orders(position, view(open_orders=[order_of(position, target, **changes)]))) == wrong


def test_entry_is_not_expected_to_reduce() -> None:
    position = waiting()
    entry = intent_of(position, Purpose.ENTRY)
    assert wrong_orders(position, view(open_orders=[order_of(position, entry)])) == ()
    assert len(wrong_orders(position, view(open_orders=[order_of(position, entry, side=OrderSide.SELL)]))) == 1


def test_order_without_our_name_is_foreign() -> None:
    position = filled()
    stop = order_of(position, intent_of(position, Purpose.STOP))
    for name in (None, "by-hand"):
        shown = seen(position, open_orders=[stop, replace(stop, client_order_id=name, order_id="v-1")])
        assert kinds((position,), shown) == [D.FOREIGN_ORDER]
        assert orphans((position,), shown) == ()


def test_isolated_margin_is_named() -> None:
    position = filled()
    assert kinds((position,), seen(position, positions=[held(position, isolated=True)])) == [D.ISOLATED_MARGIN]


def test_differences_come_in_a_stable_order() -> None:
    positions = (filled("B", quantity=Quantity(0)), filled("A", quantity=Quantity(0)))
    assert discrepancies(positions, view()) == discrepancies(positions[::-1], view())


def test_missing_position_needs_two_spaced_looks() -> None:
    gone = mark_missing(filled(quantity=Quantity(0)), NOW)
    assert not is_over(gone, NOW, RULES)
    assert not is_over(gone, NOW + seconds(14.9), RULES)
    again = mark_missing(gone, NOW + seconds(15))
    assert again.missing_since == NOW
    assert is_over(again, NOW + seconds(15), RULES)


def test_position_that_is_back_forgets_its_absence() -> None:
    gone = mark_missing(filled(quantity=Quantity(0)), NOW)
    back = mark_missing(replace(gone, quantity=Quantity(10)), NOW + seconds(60))
    assert back.missing_since is None
    assert not is_over(back, NOW + seconds(600), RULES)


def test_look_without_the_fills_breaks_the_row_of_absences() -> None:
    gone = mark_missing(filled(quantity=Quantity(0)), NOW)
    blind = mark_missing(gone, NOW + seconds(20), sure=False)
    assert blind.missing_since is None
    assert not is_over(mark_missing(blind, NOW + seconds(40)), NOW + seconds(40), RULES)


def test_zombie_policy_says_after_how_many_looks() -> None:
    gone = mark_missing(filled(quantity=Quantity(0)), NOW)
    assert not is_over(gone, NOW + seconds(600), RULES, changed(D.ZOMBIE, active=False))
    assert not is_over(gone, NOW + seconds(29), RULES, changed(D.ZOMBIE, looks=3))
    assert is_over(gone, NOW + seconds(30), RULES, changed(D.ZOMBIE, looks=3))


def test_listed_contract_is_good_enough_for_a_stop() -> None:
    listed = ListedContract(
        contract="PF_ODDUSD",
        kind="flexible_futures",
        base="ODD",
        quote="USD",
        tradeable=False,
        post_only=False,
        perpetual=True,
        tick=Decimal("0.5"),
        step=Decimal(1),
        maximum_position=Quantity(0),
        margin_levels=(),
        maker_fee=BasisPoints(-1),
        taker_fee=BasisPoints(5),
    )
    market = stray_instrument(listed)
    assert (market.id, market.tick, market.maximum_position) == ("PF_ODDUSD", Decimal("0.5"), 1)
    adopted = adopt_ghost(held(filled(), 7, contract="PF_ODDUSD"), market, Price("100.3"), RULES, NOW)
    assert adopted.stop == 97


def test_fills_that_say_flat_are_proof_enough() -> None:
    assert is_over(left(filled(quantity=Quantity(0)), 10), NOW, RULES)
    assert not is_over(left(filled(quantity=Quantity(0)), 9), NOW, RULES)
    assert not is_over(left(filled(), 10), NOW, RULES)


@pytest.mark.parametrize("state", [IntentState.LIVE, IntentState.PARTIAL, IntentState.UNKNOWN, IntentState.PLANNED])
def test_position_with_open_entry_is_not_over(state: IntentState) -> None:
    stopped_out = left(filled(quantity=Quantity(0)), 10)
    assert not is_over(with_state(stopped_out, Purpose.ENTRY, state), NOW + seconds(600), RULES)


def test_waiting_entry_is_never_over() -> None:
    assert not is_over(mark_missing(waiting(), NOW), NOW + seconds(600), RULES)


@pytest.mark.parametrize(("side", "stop"), [(Side.LONG, 97), (Side.SHORT, 103)])
def test_ghost_is_adopted_with_a_stop(side: Side, stop: int) -> None:
    ghost = held(filled(), 7, side=side)
    adopted = adopt_ghost(ghost, coin(), Price(100), RULES, NOW)
    assert (adopted.state, adopted.quantity, adopted.stop) == (PositionState.FOREIGN, 7, stop)
    assert adopted.intents == ()
    assert adopted.adopted


@pytest.mark.parametrize("state", [PositionState.FOREIGN, PositionState.CLOSING])
def test_adopted_position_ends_also_while_closing(state: PositionState) -> None:
    adopted = adopt_ghost(held(filled(), 7), coin(), Price(100), RULES, NOW)
    gone = mark_missing(replace(adopted, state=state, quantity=Quantity(0)), NOW)
    assert not is_over(gone, NOW, RULES)
    assert is_over(gone, NOW + seconds(15), RULES)
