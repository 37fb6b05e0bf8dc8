"""A position that is shown where our entry came to nothing is somebody else's."""

from __future__ import annotations

import pytest

from tests.fakes.records import NOW, filled, held, waiting, with_state
from tests.unit.reconciliation.views import settled, view
from trading.model.instruments import Side
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position
from trading.reconciliation.compare import ghosts, kind_of_stranger
from trading.reconciliation.view import DiscrepancyKind

S = IntentState


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
