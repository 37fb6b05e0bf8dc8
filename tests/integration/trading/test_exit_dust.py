"""A position below the venue's smallest order: tried once, left by rule, told in every proof, no order repeats."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.fakes.cloud import Cloud
from tests.integration.trading.test_repairs import by_hand
from tests.integration.trading.world import World, new_world
from trading.model.instruments import Universe
from trading.model.orders import IntentState, Purpose
from trading.model.positions import PositionState
from trading.model.units import Quantity


def left_with(cloud: Cloud, size: str, minimum: str = "1", refused: int = 0) -> World:
    """The owner sells by hand until so much is left; the smallest order of the coin is `minimum`. `refused`: orders
    that the venue does not take from then on."""
    world = new_world(cloud)
    stored = cloud.market.universe()
    assert stored is not None
    coins = tuple(replace(each, minimum=Quantity(minimum)) for each in stored.universe.instruments)
    cloud.market.save_universe(Universe(instruments=coins), world.venue.now(), stored)
    held = world.open_position().quantity
    by_hand(world, "mkt", "sell", str(held - Decimal(size)), reduce_only=True)
    world.venue.faults.sends = ["invalidSize"] * refused
    world.minutes(2)
    assert world.position().quantity == Decimal(size)
    return world


def minutes_with_refusals(world: World, count: int) -> list[int]:
    """Orders sent by the end of each minute, while the venue takes none for its size."""
    world.venue.faults.sends = ["invalidSize"] * 1000
    before, sent = len(world.venue.placed), []
    for _ in range(count):
        world.minute()
        sent.append(len(world.venue.placed) - before)
    return sent


@pytest.mark.parametrize("hours", [0, 5, 72])
def test_dust_that_is_refused_is_left(cloud: Cloud, hours: int) -> None:
    world = left_with(cloud, "0.5", refused=1000)
    world.venue.advance(timedelta(hours=hours).total_seconds())
    sent = minutes_with_refusals(world, 6)
    assert sent == [sent[0]] * 6
    assert sent[0] <= 1
    assert all(run[2].dust == ["COIN: 0.5, below 1"] for run in world.runs[-6:])
    assert any(each.state is IntentState.LIVE for each in world.position().of(Purpose.STOP))


def test_dust_that_is_taken_is_closed_whole(cloud: Cloud) -> None:
    world = left_with(cloud, "0.5")
    world.venue.advance(timedelta(hours=5).total_seconds())
    world.minutes(3)
    assert not world.venue.positions()
    assert cloud.ledger.position(world.venue.instruments["PF_COINUSD"].id) is None


def test_stop_of_dust_is_not_moved(cloud: Cloud) -> None:
    """Past its first target: break-even would replace a stop that the venue does not take so small."""
    world = left_with(cloud, "0.5")
    cloud.ledger.save_position(replace(world.position(), first_target_at=world.venue.now()))
    world.venue.advance(30, COIN="101.5")
    assert minutes_with_refusals(world, 4) == [0, 0, 0, 0]
    assert world.position().stop == 98
    assert world.position().state is PositionState.PROTECTED


def test_smallest_order_itself_is_no_dust(cloud: Cloud) -> None:
    world = left_with(cloud, "1")
    cloud.ledger.save_position(replace(world.position(), first_target_at=world.venue.now()))
    world.venue.advance(30, COIN="101.5")
    world.minute()
    assert world.runs[-1][2].dust == []
    assert world.position().stop == Decimal("100.4")
