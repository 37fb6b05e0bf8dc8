"""Whose it is what the venue shows: fills say that ours is gone, and what they have said once stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.fakes.records import NOW, RULES, beside, fill_of, filled, held, planned, seconds
from tests.unit.reconciliation.views import intent_of, settled, view
from trading.execution.plan import stop_intent
from trading.model.instruments import Side
from trading.model.orders import IntentState, OrderSide, Purpose
from trading.model.positions import TAKEN_BY_OTHERS, Position
from trading.model.units import Price, Quantity
from trading.model.venue import Fill
from trading.reconciliation.adopting import adopt_ghost
from trading.reconciliation.belonging import stands_for
from trading.reconciliation.compare import ghosts, still_covers

HELD = filled().quantity


def traded(side: OrderSide, quantity: Decimal | int, after_s: float) -> Fill:
    """The owner's own trade."""
    fill = fill_of(filled(), intent_of(filled(), Purpose.STOP), Quantity(quantity))
    at = NOW + seconds(after_s)
    return replace(fill, id=f"his-{after_s}", client_order_id=None, order_id=f"his-{after_s}", side=side, at=at)


def entered(position: Position) -> Fill:
    entry = intent_of(position, Purpose.ENTRY)
    return replace(fill_of(position, entry, HELD), id=position.fills[0].id, side=OrderSide.BUY, at=position.planned_at)


def stopped(after_s: float = 10) -> Fill:
    position = filled()
    fill = fill_of(position, intent_of(position, Purpose.STOP), HELD)
    return replace(fill, id="stop-fill", side=OrderSide.SELL, at=NOW + seconds(after_s))


BUY, SELL = OrderSide.BUY, OrderSide.SELL


@pytest.mark.parametrize(
    ("later", "shown", "theirs"),
    [
        ((stopped(), traded(BUY, 3, 20)), 3, True),
        ((traded(BUY, 3, 20), stopped()), 3, True),
        ((stopped(), traded(BUY, 3, 20), traded(BUY, 2, 25)), 5, True),
        # He added while ours was held: it never was flat.
        ((traded(BUY, 3, 5), stopped()), 3, False),
        # Whatever is shown: ours is gone, and one of the views lags.
        ((stopped(),), HELD, True),
        ((stopped(), traded(BUY, 3, 20)), 4, True),
        # Something of ours is left.
        ((traded(SELL, 1, 5),), HELD - 1, False),
        # He was in and out before ours was bought.
        ((traded(BUY, 1, -3), traded(SELL, 1, -2), traded(BUY, 3, 5), stopped()), 3, False),
    ],
)
def test_purchase_after_ours_was_gone_is_theirs(later: tuple[Fill, ...], shown: Decimal, theirs: bool) -> None:
    began = replace(filled(), planned_at=NOW - seconds(4))
    position = replace(began, fills=(replace(began.fills[0], at=NOW),))
    fills = (replace(entered(position), at=NOW), *later)
    now = settled(position, NOW + seconds(30), positions=(held(position, shown),), fills=fills)
    assert now.quantity == (0 if theirs else shown)
    look = view(NOW + seconds(30), positions=(held(position, shown),), fills=fills)
    assert bool(ghosts((now,), look)) is theirs


def test_silent_fills_change_nothing_about_the_past() -> None:
    """What was not known to be gone stands; what was settled as gone does not come back."""
    look = view(NOW + seconds(30), positions=(held(filled(), 3),), fills_known=False)
    assert stands_for(filled(), look.positions[0], look)
    gone = settled(filled(), fills=(entered(filled()), stopped()))
    assert gone.spent
    assert not stands_for(gone, look.positions[0], look)


def test_record_stands_for_its_own_side_only() -> None:
    position, other = filled(), held(filled(), 3, side=Side.SHORT)
    assert not stands_for(position, other, view(positions=(other,)))
    assert not stands_for(position, replace(held(position, 3), contract="PF_TWOUSD"), view())


@pytest.mark.parametrize(("sold", "bought", "stands"), [(5, 4, False), (4, 3, True), (6, 7, False)])
def test_strangers_record_ends_where_he_was_flat(sold: int, bought: int, stands: bool) -> None:
    """It began with what was shown when it was made."""
    record = adopt_ghost(held(filled(), 5), beside(), Price(100), RULES, NOW)
    fills = (traded(SELL, sold, 10), traded(BUY, bought, 20))
    shown = held(record, 5 - sold + bought)
    assert stands_for(record, shown, view(NOW + timedelta(minutes=1), positions=(shown,), fills=fills)) is stands


def test_strangers_record_outlives_the_view_of_its_fills() -> None:
    """He bought 20 more on a day that the view does not reach any more; what is shown says so."""
    record = adopt_ghost(held(filled(), 5), beside(), Price(100), RULES, NOW)
    later = NOW + timedelta(days=5)
    shown = held(record, 10)
    fills = (replace(traded(SELL, 15, 0), at=later),)
    assert stands_for(record, shown, view(later + timedelta(minutes=1), positions=(shown,), fills=fills))


def test_plan_is_given_up_where_somebody_holds() -> None:
    """It was never sent: what is shown is his, on the other side of our stop or not."""
    shown = (held(planned(), 3),)
    now = settled(planned(), positions=shown)
    entry = now.intent(Purpose.ENTRY)
    assert entry is not None
    assert (entry.state, now.quantity) == (IntentState.ABANDONED, 0)
    assert ghosts((now,), view(positions=shown)) == shown
    dark = settled(planned(), positions=shown, fills_known=False).intent(Purpose.ENTRY)
    assert dark is not None
    assert dark.state is IntentState.PLANNED


def test_plan_is_given_up_against_the_other_side() -> None:
    """Its entry is not reduce-only: it would close his position and turn it round."""
    entry = settled(planned(), positions=(held(planned(), 3, side=Side.SHORT),)).intent(Purpose.ENTRY)
    assert entry is not None
    assert (entry.state, entry.reason) == (IntentState.ABANDONED, TAKEN_BY_OTHERS)


@pytest.mark.parametrize(("theirs", "needed"), [(3, False), (2, True)])
def test_stop_is_needed_until_theirs_covers_the_whole(theirs: int, needed: bool) -> None:
    gone = settled(filled(), fills=(entered(filled()), stopped()))
    record = adopt_ghost(held(filled(), 3), beside(), Price(100), RULES, NOW)
    stop = replace(stop_intent(record, Quantity(theirs), NOW), state=IntentState.LIVE)
    shown = view(NOW + seconds(30), positions=(held(filled(), 3),))
    assert still_covers(gone, (gone, record.with_intent(stop)), shown) is needed
    assert still_covers(gone, (gone,), shown)


def test_stop_of_a_side_not_held_is_unneeded() -> None:
    gone = settled(filled(), fills=(entered(filled()), stopped()))
    assert not still_covers(gone, (gone,), view())
    assert not still_covers(gone, (gone,), view(positions=(held(filled(), 3, side=Side.SHORT),)))
