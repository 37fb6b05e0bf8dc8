"""The contract leaves its spot price just after the fill: the position is closed behind its stop."""

from __future__ import annotations

import pytest

from tests.fakes.cloud import Cloud
from tests.fakes.records import RULES, levels, rules_with
from tests.integration.trading.bent_venue import BentVenue, bent_world
from tests.integration.trading.world import World
from trading.model.instruments import Side
from trading.model.orders import IntentState, Purpose
from trading.model.positions import PositionState
from trading.rules import Rules

OFF = rules_with('{"exits": {"basis_after_fill": false}}')


def filled_world(cloud: Cloud, rules: Rules = RULES, side: Side = Side.LONG) -> tuple[World, BentVenue]:
    """A protected position a minute or two after its fill, mark and index together."""
    world, venue = bent_world(cloud, rules=rules)
    world.add_signal(levels=levels(side))
    world.execute()
    world.minute(COIN="99.5" if side is Side.LONG else "100.5")
    world.minute(COIN="100.2" if side is Side.LONG else "99.8")
    assert world.position().state is PositionState.PROTECTED
    return world, venue


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("torn", ["0.76", "-0.76"])
def test_fill_with_torn_basis_is_closed(cloud: Cloud, side: Side, torn: str) -> None:
    world, venue = filled_world(cloud, side=side)
    venue.tear("COIN", torn)
    world.minute()
    assert world.runs[-1][2].fired == {"basis_after_fill": 1}
    assert world.position().state is PositionState.CLOSING
    assert world.intent(Purpose.STOP).state is IntentState.LIVE
    world.minutes(2)
    assert [each.exit_reason for each in world.trades()] == ["basis_after_fill"]
    assert (venue.positions(), venue.open_orders()) == ((), ())
    assert venue.naked_seconds_max() == 0


def test_switched_off_check_keeps_the_fill(cloud: Cloud) -> None:
    world, venue = filled_world(cloud, OFF)
    venue.tear("COIN", "0.76")
    world.minutes(3)
    assert world.position().state is PositionState.PROTECTED


@pytest.mark.parametrize("torn", ["0.74", "-0.74", "0.1"])
def test_basis_within_its_bound_keeps_the_fill(cloud: Cloud, torn: str) -> None:
    world, venue = filled_world(cloud)
    venue.tear("COIN", torn)
    world.minute()
    assert world.runs[-1][2].evaluated["basis_after_fill"] == 1
    assert world.position().state is PositionState.PROTECTED


def test_basis_torn_later_is_left_alone(cloud: Cloud) -> None:
    world, venue = filled_world(cloud)
    world.minutes(4)
    opened = world.position().opened_at
    assert opened is not None
    assert (venue.now() - opened).total_seconds() > 300
    venue.tear("COIN", "3")
    world.minutes(2)
    assert world.position().state is PositionState.PROTECTED


def test_ticker_without_index_keeps_the_fill(cloud: Cloud) -> None:
    world, venue = filled_world(cloud)
    venue.bend("COIN", index=None)
    world.minute()
    assert world.position().state is PositionState.PROTECTED


def test_stale_ticker_closes_nothing(cloud: Cloud) -> None:
    world, venue = filled_world(cloud)
    venue.tear("COIN", "3")
    venue.bent["COIN"]["at"] = venue.now()
    world.minute()
    assert world.position().state is PositionState.PROTECTED
