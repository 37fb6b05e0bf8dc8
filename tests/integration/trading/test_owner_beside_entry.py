"""The owner buys what we are waiting to buy: his position gets a stop, and no rule of ours ever closes it."""

from __future__ import annotations

from decimal import Decimal

from tests.integration.trading.world import World
from trading import matching
from trading.model.orders import Purpose
from trading.model.positions import PositionState

CONTRACT = "PF_COINUSD"


def owner_buys(world: World, size: str = "3") -> None:
    request = matching.OrderRequest(
        symbol=CONTRACT, side=matching.Side.BUY, order_type=matching.OrderType.MARKET, size=Decimal(size)
    )
    assert world.venue.engine.send(request).status == "placed"


def test_owners_position_outlives_our_expired_entry(world: World) -> None:
    world.add_signal()
    world.minute(COIN="100.4")
    owner_buys(world)
    world.venue.advance(3600)
    world.minutes(6)
    (position,) = world.cloud.ledger.open_positions()
    assert (position.contract, position.state, position.quantity) == (CONTRACT, PositionState.FOREIGN, 3)
    assert world.venue.engine.books.size_of(CONTRACT) == 3
    assert world.venue.engine.naked_seconds_max() <= 1
    assert world.trades() == ()


def test_our_exit_rules_leave_the_owners_position(world: World) -> None:
    world.add_signal()
    world.minute(COIN="100.4")
    owner_buys(world)
    world.minute(COIN="100.4")
    world.venue.advance(1800)
    world.minutes(2)
    assert world.intent(Purpose.ENTRY).filled == 0
    assert not any(each.purpose is Purpose.EXIT for each in world.position().intents)
    assert world.venue.engine.books.size_of(CONTRACT) == 3


def test_entry_that_fills_on_top_is_covered_whole(world: World) -> None:
    world.add_signal()
    world.minute(COIN="100.4")
    owner_buys(world)
    world.minute(COIN="99.4")
    world.minutes(2)
    position = world.position()
    assert position.quantity == position.entered + 3
    assert world.venue.engine.naked_seconds() == 0
