"""A position that is shown where our entry came to nothing is somebody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from tests.fakes.records import NOW, RULES, beside, coin, filled, held, seconds, waiting, with_state
from tests.unit.reconciliation.views import settled, view
from trading.model.instruments import Instrument, Side
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position
from trading.model.units import Price
from trading.reconciliation.adopting import adopt_ghost
from trading.reconciliation.compare import doubled, ghosts, kind_of_stranger
from trading.reconciliation.view import DiscrepancyKind

S = IntentState
SHOWN = view(positions=(held(filled(), 3),))


def ended(state: IntentState = S.CANCELLED) -> Position:
    return with_state(waiting(), Purpose.ENTRY, state)


@pytest.mark.parametrize("state", [S.CANCELLED, S.REJECTED, S.NOT_PLACED, S.ABANDONED])
def test_quantity_shown_after_nothing_is_not_ours(state: IntentState) -> None:
    assert ended(state).came_to_nothing
    assert settled(ended(state), NOW, positions=(held(ended(), 3),)).quantity == 0


def test_quantity_counts_while_the_entry_may_have_brought_it() -> None:
    assert not waiting().came_to_nothing
    assert settled(waiting(), NOW, positions=(held(ended(), 3),)).quantity == 3
    assert not filled().came_to_nothing


def test_unknown_fills_leave_the_quantity_counted() -> None:
    assert settled(ended(), NOW, positions=(held(ended(), 3),), fills_known=False).quantity == 3


def test_ghost_is_what_such_a_record_stands_beside() -> None:
    shown = view(NOW, positions=(held(ended(), 3),))
    assert ghosts((ended(),), shown) == shown.positions
    assert ghosts((waiting(),), shown) == ()
    assert kind_of_stranger((ended(),), held(ended(), 3)) is DiscrepancyKind.GHOST
    assert kind_of_stranger((ended(),), held(ended(), 3, side=Side.SHORT)) is DiscrepancyKind.OPPOSITE_POSITION


def adopted(market: Instrument, side: Side = Side.LONG, at: datetime = NOW) -> Position:
    return adopt_ghost(held(filled(), 3, side=side), market, Price(100), RULES, at)


def test_second_record_of_the_same_stranger_is_a_double() -> None:
    first, second = adopted(beside()), adopted(coin(), at=NOW + seconds(1))
    for records in ((first, second), (second, first)):
        assert doubled(records, SHOWN) == {second.id}
    assert doubled((adopted(coin()), adopted(beside())), SHOWN) == {adopted(beside()).id}


def test_records_that_differ_in_anything_are_no_doubles() -> None:
    other = adopted(coin("OTHER"))
    other = replace(other, market=replace(other.market, contract="PF_OTHERUSD"))
    assert doubled((adopted(coin()), adopted(beside(), Side.SHORT), other, filled()), SHOWN) == frozenset()
