"""Ways out: behind the stop until flat, again while something is left, and at once when no stop can be had."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.cloud import Cloud
from tests.fakes.records import rules_with
from tests.integration.trading.world import World, new_world
from trading.model.orders import IntentState, OrderRequest, OrderType, Purpose
from trading.model.positions import Position, PositionState
from trading.model.units import Quantity
from trading.model.venue import SendAnswer
from trading.rules import Rules

S = IntentState
CLOSING = PositionState.CLOSING


def lose_stop(world: World) -> None:
    world.venue.engine.cancel(client_order_id=world.intent(Purpose.STOP).client_order_id)


def close(world: World) -> None:
    world.cloud.ledger.save_position(world.position().moved(CLOSING, close_reason="test"))


def exits(world: World) -> list[Quantity]:
    return [each.quantity for each in world.venue.placed if each.type is OrderType.MARKET]


PATIENT = rules_with('{"execution": {"unprotected_maximum_s": 100000}}')


@pytest.mark.parametrize(("rules", "left"), [(None, True), (PATIENT, False)])
def test_position_whose_stops_never_come_to_be_is_left(cloud: Cloud, rules: Rules | None, left: bool) -> None:
    world = new_world(cloud, rules=rules) if rules else new_world(cloud)
    world.open_position()
    lose_stop(world)
    world.venue.faults.sends = ["lost request"] * 12
    world.minutes(5)
    assert (world.venue.positions() == ()) is left
    assert world.venue.naked_seconds_max() <= 240
    world.minutes(3)
    assert [each.exit_reason for each in world.trades()] == (["unprotected"] if left else [])


def test_stop_that_comes_in_time_keeps_the_position(world: World) -> None:
    world.open_position()
    lose_stop(world)
    world.venue.faults.sends = ["lost request"] * 4
    world.minutes(5)
    assert world.position().state is PositionState.PROTECTED
    assert exits(world) == []


def test_outage_alone_closes_nothing(world: World) -> None:
    world.open_position()
    lose_stop(world)
    world.venue.faults.sends = ["lost request"] * 2
    world.minute()
    world.venue.advance(1800)
    world.minutes(2)
    assert world.position().state is PositionState.PROTECTED
    assert exits(world) == []


def test_leaving_is_recorded_before_the_exit_goes_out(world: World) -> None:
    world.open_position()
    lose_stop(world)
    world.venue.advance(10, COIN="97")
    world.venue.faults.sends = ["killed before"]
    with pytest.raises(SystemExit):
        world.reconcile()
    assert (world.position().state, world.position().close_reason) == (CLOSING, "beyond_stop")
    world.minutes(4)
    assert world.trades()[0].exit_reason == "beyond_stop"


def test_stop_stays_until_the_position_is_flat(world: World) -> None:
    world.open_position()
    stop = world.intent(Purpose.STOP)
    close(world)
    world.venue.faults.sends = ["lost request", "marketSuspended", "marketSuspended"]
    world.minute()
    assert stop.client_order_id not in world.venue.cancelled
    assert world.venue.positions() != ()
    world.minutes(3)
    assert world.venue.positions() == ()
    assert stop.client_order_id in world.venue.cancelled
    assert world.venue.naked_seconds_max() == 0


def test_part_filled_exit_is_followed_by_the_rest(world: World) -> None:
    position = world.open_position()
    close(world)
    world.venue.placed.clear()
    half = position.market.quantity_down(position.quantity / 2)
    partly = _FillsInPart(world, half)
    world.venue.place = partly.place  # type: ignore[method-assign]
    world.minute()
    assert exits(world) == [half]
    assert world.position().state is CLOSING
    assert world.venue.naked_seconds_max() == 0
    world.minutes(2)
    assert exits(world) == [half, position.quantity - half]
    world.minutes(2)
    assert world.trades()[0].exit_reason == "test"
    assert [each.generation for each in _closed(world).of(Purpose.EXIT)] == [1, 2]


def _closed(world: World) -> Position:
    (position,) = world.cloud.ledger.closed_positions(["2024-05"])
    return position


class _FillsInPart:
    """The book behind the price protection holds only this much for the first exit."""

    def __init__(self, world: World, quantity: Quantity) -> None:
        self._place, self._quantity = world.venue.place, quantity
        self._first = True

    def place(self, request: OrderRequest) -> SendAnswer:
        if request.type is OrderType.MARKET and self._first:
            self._first = False
            return self._place(replace(request, quantity=self._quantity))
        return self._place(request)


def test_two_exits_are_never_under_way(world: World) -> None:
    world.open_position()
    close(world)
    for run in (world.reconcile, world.manage, world.manage, world.reconcile):
        run()
    assert len(exits(world)) == 1
    assert world.venue.engine.books.size_of("PF_COINUSD") == Decimal(0)
