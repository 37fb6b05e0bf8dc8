"""A position too small for an order at its first target gets break-even and trailing as every other does."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.cloud import Cloud
from tests.integration.trading.exit_scene import hours, to_next_hour
from tests.integration.trading.world import World, new_world
from trading.model.instruments import Universe
from trading.model.orders import Purpose
from trading.model.positions import PositionState
from trading.model.units import Price, Quantity


@pytest.fixture
def small(cloud: Cloud) -> World:
    """23.36 are held, of which a target is 9.34; the venue takes no order below 10."""
    world = new_world(cloud)
    stored = cloud.market.universe()
    assert stored is not None
    coins = tuple(replace(each, minimum=Quantity(10)) for each in stored.universe.instruments)
    cloud.market.save_universe(Universe(instruments=coins), world.venue.now(), stored)
    position = world.open_position()
    assert position.of(Purpose.TARGET_1) == ()
    return world


def test_mark_at_the_first_target_brings_break_even(small: World) -> None:
    small.venue.advance(60, COIN="101.9")
    assert small.manage().fired == {}
    assert small.position().first_target_at is None
    small.venue.advance(60, COIN="102.1")
    assert small.manage().fired == {"break_even": 1}
    position = small.position()
    assert (position.first_target_at, position.stop) == (small.venue.now(), Decimal("100.4"))
    assert small.intent(Purpose.STOP).trigger_price == Decimal("100.4")


def test_small_position_trails_and_outlives_five_hours(small: World) -> None:
    to_next_hour(small)
    small.venue.advance(60, COIN="104")
    small.manage()
    reached = small.position().first_target_at
    to_next_hour(small)
    hours(small, (104.0, 103.0))
    assert small.manage().fired == {"trailing": 1}
    assert small.position().stop == Decimal("102.1")
    small.venue.advance(5 * 3600)
    assert "time_exit" not in small.manage().fired
    assert (small.position().first_target_at, small.position().state) == (reached, PositionState.PROTECTED)


def test_first_target_is_recorded_although_no_rule_fires(small: World) -> None:
    """Its stop is beyond break-even already, and the mark comes back."""
    small.cloud.ledger.save_position(replace(small.position(), stop=Price("100.5")))
    small.venue.advance(60, COIN="102.1")
    small.manage()
    small.venue.advance(60, COIN="101.5")
    small.manage()
    assert small.position().first_target_at is not None
