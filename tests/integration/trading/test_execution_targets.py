"""Targets on the venue: none that executes at once, none too large, records that follow what the venue does."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.integration.trading.test_repairs import by_hand
from tests.integration.trading.world import World
from trading.model.orders import IntentState, Purpose
from trading.model.positions import PositionState

S = IntentState
BOTH = (Purpose.TARGET_1, Purpose.TARGET_2)


def jumped(world: World, price: str) -> World:
    """The entry has filled, and the price is far away before the targets are placed."""
    world.add_signal()
    world.execute()
    world.venue.advance(30, COIN="99.5")
    world.venue.advance(30, COIN=price)
    world.reconcile()
    return world


@pytest.mark.parametrize(
    ("price", "states"), [("101", [S.LIVE, S.LIVE]), ("102.5", [S.REJECTED, S.LIVE]), ("106", [S.REJECTED, S.REJECTED])]
)
def test_passed_level_is_skipped_and_recorded(world: World, price: str, states: list[IntentState]) -> None:
    jumped(world, price)
    position = world.position()
    assert [world.intent(each).state for each in BOTH] == states
    assert world.venue.engine.books.size_of("PF_COINUSD") == position.entered
    for each in BOTH:
        intent = world.intent(each)
        assert ("postWouldExecute" in intent.reason) is (intent.state is S.REJECTED)


def test_skipped_target_is_not_tried_again(world: World) -> None:
    jumped(world, "102.5")
    sent = len(world.venue.placed)
    for _ in range(3):
        world.venue.advance(60)
        world.reconcile()
    assert len(world.venue.placed) == sent
    assert len(world.position().of(Purpose.TARGET_1)) == 1


def test_skipped_first_target_counts_as_reached(world: World) -> None:
    jumped(world, "102.5")
    assert world.position().first_target_at == world.venue.now()
    world.manage()
    assert world.position().stop == Decimal("100.4")
    world.minute()
    assert world.intent(Purpose.STOP).trigger_price == Decimal("100.4")


def test_ladder_follows_a_position_made_smaller_by_hand(world: World) -> None:
    position = world.open_position()
    first, second = (world.intent(each).quantity for each in BOTH)
    left = second + position.market.step
    by_hand(world, "mkt", "sell", str(position.quantity - left), reduce_only=True)
    world.minutes(4)
    resting = [each for each in world.venue.open_orders() if each.limit_price is not None]
    assert sum(each.open_quantity for each in resting) <= left
    recorded = [each for purpose in BOTH for each in world.position().resting(purpose)]
    assert sum(each.open_quantity for each in recorded) == sum(each.open_quantity for each in resting)
    assert world.position().state is PositionState.PROTECTED
    assert first > 0


def test_no_target_is_sent_while_leaving(world: World) -> None:
    world.add_signal()
    world.execute()
    world.venue.advance(60, COIN="99.5")
    world.venue.engine.cancel(client_order_id=world.intent(Purpose.STOP).client_order_id)
    world.venue.faults.sends = ["invalidPrice"] * 3
    world.reconcile()
    assert [each.limit_price for each in world.venue.placed if each.reduce_only and each.limit_price] == []
    assert world.venue.positions() == ()
