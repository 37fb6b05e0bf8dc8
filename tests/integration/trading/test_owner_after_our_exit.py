"""The owner buys on our side once ours is gone and before anybody has looked: what he buys gets a record and a stop of
its own, and no rule of ours closes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from functions.reconcile_positions.reconcile import reconcile_positions
from tests.fakes.records import planned
from tests.fakes.venue import VenueInMemory
from tests.integration.trading.risk_scene import published
from tests.integration.trading.test_reconcile_strangers import beside
from tests.integration.trading.test_repairs import COIN, by_hand, cancel_stop
from tests.integration.trading.world import World
from tests.unit.operator.trade_scene import closed_by_a_person
from trading.model.instruments import Side
from trading.model.orders import OrderSide, Purpose
from trading.model.positions import Position, PositionState
from trading.model.venue import Fill


@dataclass
class WithoutNewestFill:
    """The venue whose view of the fills lags behind that of the positions."""

    venue: VenueInMemory

    def __getattr__(self, name: str) -> Any:
        return getattr(self.venue, name)

    def fills(self, since: datetime | None) -> tuple[Fill, ...]:
        return self.venue.fills(since)[:-1]


def stopped_out_and_bought(world: World, size: str = "3") -> Position:
    """Our stop fires whole; within the same minute he buys the dip, below where our stop was."""
    ours = world.open_position()
    world.venue.advance(20, COIN="97.5")
    assert world.venue.engine.books.size_of(COIN) == 0
    by_hand(world, "mkt", "buy", size)
    return ours


def stops(world: World) -> list[tuple[OrderSide, Decimal]]:
    working = (each for each in world.venue.open_orders() if each.client_order_id and each.trigger_price is not None)
    return [(each.side, each.open_quantity) for each in working]


def record_of(world: World) -> Position:
    (position,) = world.cloud.ledger.open_positions()
    return position


def test_dip_bought_after_our_stop_stays_his(world: World) -> None:
    ours = stopped_out_and_bought(world)
    world.minutes(1)
    assert (record_of(world).state, record_of(world).quantity) == (PositionState.FOREIGN, 3)
    assert stops(world) == [(OrderSide.SELL, Decimal(3))]
    assert record_of(world).stop < Decimal("97.5")
    world.minutes(4)
    assert world.venue.engine.books.size_of(COIN) == 3
    (trade,) = world.trades()
    assert (trade.quantity, trade.exit_reason) == (ours.quantity, "stop")


def test_his_purchase_is_covered_while_ours_is_unbooked(world: World) -> None:
    ours = stopped_out_and_bought(world)
    world.venue.faults.reads.add("ledger_rows")
    world.minutes(12)
    assert (beside(world).state, beside(world).quantity) == (PositionState.FOREIGN, 3)
    assert world.position().quantity == 0
    assert stops(world) == [(OrderSide.SELL, Decimal(3))]
    assert "COIN long has ended and cannot be booked" in published("discrepancy")
    world.venue.faults.reads.clear()
    world.minutes(2)
    assert [each.quantity for each in world.trades()] == [ours.quantity]
    assert world.venue.engine.books.size_of(COIN) == 3


def test_what_was_seen_as_gone_does_not_come_back(world: World) -> None:
    """Its record waits for the account log; a look without fills must not take his position for ours again."""
    stopped_out_and_bought(world)
    world.venue.faults.reads.add("ledger_rows")
    world.minutes(1)
    world.venue.faults.reads.add("fills")
    world.minutes(4)
    assert world.venue.engine.books.size_of(COIN) == 3
    assert stops(world) == [(OrderSide.SELL, Decimal(3))]
    assert (world.position().quantity, beside(world).quantity) == (0, 3)


def test_strangers_old_record_does_not_come_back(world: World) -> None:
    by_hand(world, "mkt", "buy", "5")
    world.minutes(1)
    world.venue.advance(20, COIN=str(record_of(world).stop - 1))
    by_hand(world, "mkt", "buy", "4")
    world.reconcile()
    world.venue.faults.reads.add("fills")
    world.minutes(4)
    assert world.venue.engine.books.size_of(COIN) == 4
    assert beside(world).quantity == 4


def test_purchase_whose_fill_lags_is_not_closed(world: World) -> None:
    """Ours is gone by its own fills; whose the rest is, the second look says."""
    stopped_out_and_bought(world)
    world.venue.advance(20)
    reconcile_positions(world.desk(WithoutNewestFill(world.venue)))
    assert world.venue.engine.books.size_of(COIN) == 3
    world.venue.advance(20)
    world.reconcile()
    assert stops(world) == [(OrderSide.SELL, Decimal(3))]
    assert world.venue.engine.books.size_of(COIN) == 3


def test_our_stop_stays_until_his_record_has_one(world: World) -> None:
    """Without a quote his record cannot be made: meanwhile our stop is all that he has. Our targets go at once."""
    ours = world.open_position()
    by_hand(world, "mkt", "sell", str(ours.quantity), reduce_only=True)
    by_hand(world, "mkt", "buy", str(ours.quantity))
    world.venue.faults.reads.add("quotes")
    for _ in range(3):
        world.minute()
        assert stops(world) == [(OrderSide.SELL, ours.quantity)]
        assert len(world.venue.open_orders()) == 1
    world.venue.faults.reads.clear()
    for _ in range(3):
        world.minute()
        assert world.venue.engine.naked_seconds_max() == 0
    assert record_of(world).state is PositionState.FOREIGN
    assert stops(world) == [(OrderSide.SELL, ours.quantity)]


def test_closing_record_sends_nothing_for_his_purchase(world: World) -> None:
    """Our exit was taken and its record waits for the account log: another exit would sell what is his."""
    world.open_position()
    closed_by_a_person(world, "COIN")
    world.venue.advance(20)
    assert world.venue.engine.books.size_of(COIN) == 0
    world.venue.faults.reads.add("ledger_rows")
    by_hand(world, "mkt", "buy", "3")
    world.minutes(5)
    assert world.venue.engine.books.size_of(COIN) == 3
    assert beside(world).state is PositionState.FOREIGN
    assert len(world.position().of(Purpose.EXIT)) == 1


def test_what_he_buys_after_closing_ours_is_his(world: World) -> None:
    """Our stop still works then; his position gets one of its own, and none of our targets."""
    ours = world.open_position()
    by_hand(world, "mkt", "sell", str(ours.quantity), reduce_only=True)
    by_hand(world, "mkt", "buy", "3")
    world.minutes(3)
    assert (record_of(world).state, record_of(world).quantity) == (PositionState.FOREIGN, 3)
    assert stops(world) == [(OrderSide.SELL, Decimal(3))]
    assert len(world.venue.open_orders()) == 1
    assert [each.exit_reason for each in world.trades()] == ["closed by somebody else"]


def test_person_closes_his_purchase_while_ours_is_unbooked(world: World) -> None:
    stopped_out_and_bought(world)
    world.venue.faults.reads.add("ledger_rows")
    world.venue.advance(30)
    world.reconcile()
    answer = closed_by_a_person(world, "COIN")
    assert (answer["ok"], answer["failures"]) == (True, [])
    assert world.venue.engine.books.size_of(COIN) == 0


def test_adopted_position_bought_again_gets_a_new_stop(world: World) -> None:
    by_hand(world, "mkt", "buy", "5")
    world.minutes(1)
    first = record_of(world)
    world.venue.advance(20, COIN=str(first.stop - 1))
    assert world.venue.engine.books.size_of(COIN) == 0
    by_hand(world, "mkt", "buy", "4")
    world.minutes(4)
    assert world.venue.engine.books.size_of(COIN) == 4
    second = record_of(world)
    assert (second.state, second.quantity) == (PositionState.FOREIGN, 4)
    assert second.stop < first.stop
    assert stops(world) == [(OrderSide.SELL, Decimal(4))]


@pytest.mark.parametrize("silent", [set(), {"fills"}], ids=["", "fills silent"])
def test_sold_and_bought_again_is_never_naked(world: World, silent: set[str]) -> None:
    """The record of what he sold ends later than that of what he bought begins; its stop is the only one to go."""
    by_hand(world, "mkt", "buy", "5")
    world.minutes(1)
    by_hand(world, "mkt", "sell", "5")
    by_hand(world, "mkt", "buy", "4")
    world.minutes(1)
    second = beside(world)
    assert (second.quantity, world.position().quantity) == (4, 0)
    world.venue.faults.reads |= silent
    for _ in range(5):
        world.minutes(1)
        assert world.venue.engine.naked_seconds() == 0
    world.venue.faults.reads.clear()
    for _ in range(3):
        world.minutes(1)
        assert world.venue.engine.naked_seconds() == 0
    assert (record_of(world).id, record_of(world).quantity) == (second.id, 4)
    assert stops(world) == [(OrderSide.SELL, Decimal(4))]


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_position_turned_round_is_covered_in_one_run(world: World, turns: int) -> None:
    """Of his own position the record of the other side waits to end; the new side does not wait for it."""
    ours = world.open_position()
    by_hand(world, "mkt", "sell", str(ours.quantity + 5))
    world.minutes(3)
    side, size = Side.SHORT, Decimal(-5)
    for _ in range(turns):
        by_hand(world, "mkt", "sell" if size > 0 else "buy", "10")
        side, size = (Side.LONG, Decimal(5)) if size < 0 else (Side.SHORT, Decimal(-5))
        world.venue.advance(20)
        world.reconcile()
        assert world.venue.engine.books.size_of(COIN) == size
        assert (OrderSide.closing(side), Decimal(5)) in stops(world)


def test_person_closes_what_was_turned_round(world: World) -> None:
    """The record of the other side still stands; the exit is for what is held."""
    ours = world.open_position()
    by_hand(world, "mkt", "sell", str(ours.quantity + 5))
    world.minutes(3)
    by_hand(world, "mkt", "buy", "10")
    answer = closed_by_a_person(world, "COIN")
    assert (answer["ok"], answer["failures"]) == (True, [])
    assert world.venue.engine.books.size_of(COIN) == 0


def test_stop_of_ours_in_the_middle_is_kept(world: World) -> None:
    """He adds while ours is held: it never was flat in between, and stays one position under one stop."""
    ours = world.open_position()
    by_hand(world, "mkt", "buy", "5")
    world.minutes(1)
    by_hand(world, "mkt", "sell", str(ours.quantity), reduce_only=True)
    world.minutes(3)
    assert record_of(world).id == ours.id
    assert stops(world) == [(OrderSide.SELL, Decimal(5))]
    cancel_stop(world)
    world.minutes(1)
    assert stops(world) == [(OrderSide.SELL, Decimal(5))]


def test_purchase_beside_a_plan_is_not_closed(world: World) -> None:
    """Our entry waits to be sent while the mark goes beyond the stop that it would have."""
    world.cloud.ledger.adopt_position(planned())
    world.venue.advance(20, COIN=str(planned().stop - 1))
    by_hand(world, "mkt", "buy", "3")
    assert world.reconcile().booked == ["PF_COINUSD ended without a trade: somebody else holds a position here"]
    assert world.venue.engine.books.size_of(COIN) == 3
    assert stops(world) == [(OrderSide.SELL, Decimal(3))]
    world.minutes(3)
    assert world.venue.engine.books.size_of(COIN) == 3
    assert (record_of(world).state, record_of(world).quantity) == (PositionState.FOREIGN, 3)
